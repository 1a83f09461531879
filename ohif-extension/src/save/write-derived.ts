import type { DerivationOptions } from '@cipherdose/sdk/dicom';
import { blendHu } from '@cipherdose/sdk/image';
import type { DenoisedSeries } from '../run/denoised-series.ts';

/** Version of this software, put in by the bundler. */
declare const softwareVersion: string;

export interface DescriptionOptions {
  readonly descriptionSuffix: string;
  readonly seriesNumberOffset: number;
}

/** How a series is written: at the strength at which it is shown. */
export function derivationOptions(
  { model, mode, strength, started }: Pick<DenoisedSeries, 'model' | 'mode' | 'strength' | 'started'>,
  description: DescriptionOptions,
): DerivationOptions {
  const { id, version, digest } = model;
  return {
    model: { id, version, digest },
    mode,
    strengthPercent: strength,
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
  blendHu(source, denoised, series.strength, hu);
  return hu;
}
