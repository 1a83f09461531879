import { padMap, patchMargin } from '@cipherdose/sdk/image';
import { reorder, type FloatMap } from './float-map.ts';
import type { FloatNonLocalMeans } from './float-network.ts';
import { halfWindow, patchDistances } from './patch-distances.ts';

// See fixed-point.ts of the SDK: a global in the innermost loop is slow in a sandbox.
const { exp, max } = Math;

/** Noise is not taken for less than this in a non-local mean. */
const leastDeviation = 1 / 32;

/** Non-local means in doubles; the SDK does the same in integers. @param deviation of the shape of the map, as is the guide */
export function floatNonLocalMeans(
  map: FloatMap,
  deviation: FloatMap,
  guide: FloatMap,
  node: FloatNonLocalMeans,
): FloatMap {
  const { channels, height, width } = map;
  const plane = height * width;
  const margin = patchMargin(node.search, node.patch);
  const padded = reorder(guide, (indices) =>
    padMap(indices, { fill: 'edge', padding: [margin, margin, margin, margin] }),
  );
  const paddedPlane = padded.height * padded.width;
  const patchPixels = node.patch ** 2;
  // Of the noise that a patch differs by at each pixel, and what a distance beyond it is divided by.
  const variances = deviation.data.map((sigma) => max(sigma, leastDeviation) ** 2);
  const reaches = variances.map((variance) => node.strength ** 2 * variance);
  const distances = new Float64Array(plane);
  const sums = map.data.slice();
  const totals = new Float64Array(channels * plane).fill(1);
  const gather = (at: number, from: number, distance: number): void => {
    const beyond = max(0, distance - 2 * (variances[at] as number));
    const weight = exp(-beyond / (reaches[at] as number));
    (sums[at] as number) += weight * (map.data[from] as number);
    (totals[at] as number) += weight;
  };
  for (let channel = 0; channel < channels; channel++) {
    const data = padded.data.subarray(channel * paddedPlane, (channel + 1) * paddedPlane);
    for (const { down, right } of halfWindow(node.search)) {
      patchDistances({ data, height, width, margin }, { down, right }, node.patch, distances);
      for (let y = 0; y + down < height; y++)
        for (let x = Math.max(0, -right); x < width - Math.max(0, right); x++) {
          const distance = (distances[y * width + x] as number) / patchPixels;
          const i = channel * plane + y * width + x;
          gather(i, i + down * width + right, distance);
          gather(i + down * width + right, i, distance);
        }
    }
  }
  return { ...map, data: sums.map((sum, i) => sum / (totals[i] as number)) };
}
