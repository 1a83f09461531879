import type { FeatureMap, NumberMap } from '@cipherdose/sdk/image';

/** A value of a float network on one image. */
export interface FloatMap extends NumberMap {
  readonly data: Float64Array;
}

/** Moves numbers as the SDK moves integers: by sending their indices, from 1, through it. 0 is padding. */
export function reorder(map: FloatMap, move: (indices: FeatureMap) => FeatureMap): FloatMap {
  const moved = move({ ...map, data: Int32Array.from(map.data, (_, i) => i + 1) });
  const data = Float64Array.from(moved.data, (index) => (index === 0 ? 0 : (map.data[index - 1] as number)));
  return { ...moved, data };
}
