import type { FeatureMap, NumberMap } from '@cipherdose/sdk/image';

/** A value of a float network on one image. */
export interface FloatMap extends NumberMap {
  readonly data: Float64Array;
}

/** So many numbers, each by its place. Float64Array.from with a function takes ten times as long. */
export function numbersOf(length: number, numberAt: (place: number) => number): Float64Array {
  const numbers = new Float64Array(length);
  for (let i = 0; i < length; i++) numbers[i] = numberAt(i);
  return numbers;
}

/** Moves numbers as the SDK moves integers: by sending their indices, from 1, through it. 0 is padding. */
export function reorder(map: FloatMap, move: (indices: FeatureMap) => FeatureMap): FloatMap {
  const indices = new Int32Array(map.data.length);
  for (let i = 0; i < indices.length; i++) indices[i] = i + 1;
  const { data: moved, ...shape } = move({ ...map, data: indices });
  const data = numbersOf(moved.length, (place) => {
    const index = moved[place] as number;
    return index === 0 ? 0 : (map.data[index - 1] as number);
  });
  return { ...shape, data };
}
