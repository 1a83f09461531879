import { emptyMap, type FeatureMap } from './feature-map.ts';
import { meanOfSum } from './fixed-point.ts';

/** What becomes of all pixels of a channel: the largest one, or floor(gain * mean + 1/2). */
export interface GlobalPoolRule {
  readonly kind: 'max' | 'mean';
  /** Units of the result for one of the map; of a mean only. */
  readonly gain: number;
}

/**
 * One pixel for each channel. Exact while (2 * gain * |x| + 1) times the pixels of a channel is below 2^53.
 * @returns channels x 1 x 1
 */
export function globalPool(map: FeatureMap, { kind, gain }: GlobalPoolRule): FeatureMap {
  const count = map.height * map.width;
  const result = emptyMap(map.channels, 1, 1);
  for (let channel = 0; channel < map.channels; channel++) {
    const pixels = map.data.subarray(channel * count, (channel + 1) * count);
    result.data[channel] = kind === 'max' ? largestOf(pixels) : meanOf(pixels, gain);
  }
  return result;
}

function largestOf(pixels: Int32Array): number {
  let largest = -(2 ** 31);
  for (const pixel of pixels) if (pixel > largest) largest = pixel;
  return largest;
}

function meanOf(pixels: Int32Array, gain: number): number {
  let sum = 0;
  for (const pixel of pixels) sum += pixel;
  return meanOfSum(sum, pixels.length, gain);
}

/** A map of one pixel for each channel, `height` x `width` times that pixel. */
export function broadcast({ channels, data }: FeatureMap, height: number, width: number): FeatureMap {
  const result = emptyMap(channels, height, width);
  const count = height * width;
  data.forEach((pixel, channel) => result.data.fill(pixel, channel * count, (channel + 1) * count));
  return result;
}
