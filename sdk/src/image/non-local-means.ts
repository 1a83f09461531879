import { emptyMap, type FeatureMap } from './feature-map.ts';
import { halfWindow, patchDistances, patchMargin } from './patch-distances.ts';
import { padMap } from './rearrange.ts';

/** Non-local means in integers; see {@link nonLocalMeans}. */
export interface NonLocalMeansRule {
  /** Side of the square of pixels that a pixel may be a mean of, odd. */
  readonly search: number;
  /** Side of the patches that are compared, odd. */
  readonly patch: number;
  /** Weight of a pixel by how much its patch differs: falling, the first is also that of the pixel itself. */
  readonly weights: readonly number[];
  /** A patch distance D counts as floor(D * floor(multiplier / deviation^2) / 2^shift), which selects its weight. */
  readonly multiplier: number;
  readonly shift: number;
  /** Integers of the result for one of the image. */
  readonly gain: number;
}

/** What floor(multiplier / deviation^2) is limited to, so that its products with patch distances stay below 2^53. */
export const largestInverse = 2 ** 24;

/**
 * Non-local means (Buades, Coll, Morel, Image Processing On Line 1, 2011): every pixel becomes the mean of those around
 * it, each weighted by how much its patch is like the pixel's own, compared with the deviation of the noise there.
 * Beyond the edge of a map its last pixels go on for patches; there are no pixels to take. Exact:
 * x' = floor((sum of weight * x * gain) / (sum of weights) + 1/2).
 * @param image channels x height x width
 * @param deviation of the same shape; below 1 it counts as 1
 */
export function nonLocalMeans(
  image: FeatureMap,
  deviation: FeatureMap,
  { search, patch, weights, multiplier, shift, gain }: NonLocalMeansRule,
): FeatureMap {
  const { channels, height, width } = image;
  const plane = height * width;
  const margin = patchMargin(search, patch);
  const padded = padMap(image, { fill: 'edge', padding: [margin, margin, margin, margin] });
  const paddedPlane = padded.height * padded.width;
  const table = Int32Array.from(weights);
  const divisor = 2 ** shift;
  const beyond = table.length * divisor;
  const own = table[0] as number;
  const inverses = Float64Array.from(deviation.data, (sigma) =>
    Math.min(largestInverse, Math.floor(multiplier / Math.max(1, sigma) ** 2)),
  );
  const distances = new Float64Array(plane);
  const result = emptyMap(channels, height, width);
  for (let channel = 0; channel < channels; channel++) {
    const values = image.data.subarray(channel * plane, (channel + 1) * plane);
    const scale = inverses.subarray(channel * plane, (channel + 1) * plane);
    const sums = Float64Array.from(values, (value) => value * own);
    const totals = new Float64Array(plane).fill(own);
    const data = padded.data.subarray(channel * paddedPlane, (channel + 1) * paddedPlane);
    for (const offset of halfWindow(search)) {
      patchDistances({ data, height, width, margin }, offset, patch, distances);
      const { down, right } = offset;
      const away = down * width + right;
      const end = width - Math.max(0, right);
      for (let y = 0; y + down < height; y++)
        for (let x = Math.max(0, -right), i = y * width + x; x < end; x++, i++) {
          const distance = distances[i] as number;
          const j = i + away;
          const here = distance * (scale[i] as number);
          if (here < beyond) {
            const weight = table[(here / divisor) | 0] as number;
            (sums[i] as number) += weight * (values[j] as number);
            (totals[i] as number) += weight;
          }
          const there = distance * (scale[j] as number);
          if (there < beyond) {
            const weight = table[(there / divisor) | 0] as number;
            (sums[j] as number) += weight * (values[i] as number);
            (totals[j] as number) += weight;
          }
        }
    }
    for (let i = 0; i < plane; i++) {
      const total = totals[i] as number;
      result.data[channel * plane + i] = Math.floor((2 * gain * (sums[i] as number) + total) / (2 * total));
    }
  }
  return result;
}
