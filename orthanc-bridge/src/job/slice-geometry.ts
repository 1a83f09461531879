import { DenoiseError } from '@cipherdose/sdk/errors';
import { numberOf, textOf, type SimplifiedTags } from '../rules/series-facts.ts';

export interface SliceGeometry {
  /** Equal for slices of one stack: size, spacing and direction. */
  readonly kind: string;
  /** Millimetres along the normal of the slice. */
  readonly place: number;
}

/** A distance this many times the usual one is a gap. */
const gapFactor = 1.5;
/** Positions closer than this are the same, millimetres. */
const samePlace = 0.01;

/** @throws DICOM_ATTRIBUTE_MISSING, DICOM_ATTRIBUTE_INVALID: a CT image must have all of it (PS3.3 A.3.3). */
export function geometryOf(tags: SimplifiedTags): SliceGeometry {
  const size = ['Rows', 'Columns'].map((name) => numberOf(tags, name) ?? missing(name));
  const spacing = numbers(tags, 'PixelSpacing', 2);
  const position = numbers(tags, 'ImagePositionPatient', 3);
  const [rx = 0, ry = 0, rz = 0, cx = 0, cy = 0, cz = 0] = numbers(tags, 'ImageOrientationPatient', 6);
  const normal = [ry * cz - rz * cy, rz * cx - rx * cz, rx * cy - ry * cx];
  const place = position.reduce((sum, value, axis) => sum + value * (normal[axis] as number), 0);
  const direction = [rx, ry, rz, cx, cy, cz].map((value) => value.toFixed(2).replace('-0.00', '0.00'));
  return { kind: [...size, ...spacing.map((value) => value.toFixed(3)), ...direction].join(' '), place };
}

function numbers(tags: SimplifiedTags, name: string, count: number): number[] {
  const values = (textOf(tags, name) ?? missing(name)).split('\\').map(Number);
  if (values.length !== count || !values.every(Number.isFinite))
    throw new DenoiseError('DICOM_ATTRIBUTE_INVALID', { attribute: name, reason: `not ${count} numbers` });
  return values;
}

function missing(attribute: string): never {
  throw new DenoiseError('DICOM_ATTRIBUTE_MISSING', { attribute });
}

/**
 * @param places sorted; equal ones (several phases) count once.
 * @throws SERIES_INCOMPLETE if slices are missing in between
 */
export function checkSpacing(places: readonly number[]): void {
  const distances = places
    .map((place, index) => place - (places[index - 1] ?? place))
    .filter((distance) => distance > samePlace);
  const usual = [...distances].sort((a, b) => a - b)[distances.length >> 1] ?? 0;
  const gaps = distances.filter((distance) => distance > usual * gapFactor);
  if (gaps.length === 0) return;
  const missing = gaps.reduce((sum, gap) => sum + Math.round(gap / usual) - 1, 0);
  throw new DenoiseError('SERIES_INCOMPLETE', { gaps: gaps.length, slicesMissing: Math.max(1, missing) });
}
