import type { DerivationOptions } from '@cipherdose/sdk/dicom';
import { blend } from '../run/blend.ts';
import type { DenoisedSeries } from '../run/denoised-series.ts';

/** Version of this software, put in by the bundler. */
declare const softwareVersion: string;

export interface DescriptionOptions {
  readonly descriptionSuffix: string;
  readonly seriesNumberOffset: number;
}

/**
 * How a series is written. A result that is mixed with its source is another object than the result itself: the
 * strength is part of the version that its UIDs depend on, and stands in its description.
 */
export function derivationOptions(
  { model, mode, strength, started }: Pick<DenoisedSeries, 'model' | 'mode' | 'strength' | 'started'>,
  description: DescriptionOptions,
): DerivationOptions {
  const { id, version, digest } = model;
  const whole = strength === 100;
  return {
    model: { id, version: whole ? version : `${version} at ${strength}%`, digest },
    mode: whole ? mode : `${mode}; then mixed: ${strength}% result, ${100 - strength}% source`,
    timestamp: started,
    softwareVersion,
    ...description,
  };
}

/** HU to write for one slice, or undefined if it is not done. */
export function huToWrite(series: DenoisedSeries, index: number): Int16Array | undefined {
  const { source, denoised } = series.slices[index] ?? {};
  if (!source || !denoised) return undefined;
  const hu = new Int16Array(source.length);
  blend(source, denoised, series.strength, hu);
  return hu;
}
