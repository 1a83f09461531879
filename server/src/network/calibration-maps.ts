import type { FeatureMap, HuImage, NumberMap } from '@cipherdose/sdk/image';
import type { Extent } from './fixed-point-rules.ts';

/** One channel of HU inside the model's range; padding is the lowest value, as when a plan is walked. */
export function clipImage(image: HuImage, lowHu: number, highHu: number): FeatureMap {
  const data = Int32Array.from(image.hu);
  data.forEach((hu, i) => {
    data[i] = image.padding?.[i] ? lowHu : Math.max(lowHu, Math.min(highHu, hu));
  });
  return { channels: 1, height: image.height, width: image.width, data };
}

/** The images inside the model's range, as {@link clipImage} has them. */
export const clipImages = (images: readonly HuImage[], lowHu: number, highHu: number): readonly HuImage[] =>
  images.map((image) => ({
    width: image.width,
    height: image.height,
    hu: Int16Array.from(clipImage(image, lowHu, highHu).data),
  }));

/**
 * How far each channel goes from 0 over all images, after `real` made real values of what the maps hold.
 * @param keep part of the magnitudes above and below 0 that the extents hold; 1 for all
 */
export function channelExtents(
  maps: readonly NumberMap[],
  real: (value: number, channel: number) => number,
  keep = 1,
): Extent[] {
  const all = largestExtents(maps, real);
  if (keep >= 1) return all;
  return all.map((extent, channel) => {
    const [above, below] = [new Uint32Array(bins), new Uint32Array(bins)];
    for (const map of maps) {
      const plane = map.height * map.width;
      for (let i = channel * plane; i < (channel + 1) * plane; i++) {
        const value = real(map.data[i] as number, channel);
        const [side, most] = value > 0 ? [above, extent.above] : [below, extent.below];
        if (value !== 0) addOne(side, Math.min(bins - 1, Math.floor((Math.abs(value) / most) * bins)));
      }
    }
    return { above: quantile(above, keep) * extent.above, below: quantile(below, keep) * extent.below };
  });
}

const bins = 4096;
const addOne = (counts: Uint32Array, bin: number): void => void (counts[bin] = (counts[bin] as number) + 1);

/** Upper end, as a part of the largest value, of the bin with which `keep` of all values are reached. */
function quantile(histogram: Uint32Array, keep: number): number {
  const wanted = keep * histogram.reduce((sum, count) => sum + count, 0);
  let seen = 0;
  const bin = histogram.findIndex((count) => (seen += count) >= wanted && seen > 0);
  return bin < 0 ? 0 : (bin + 1) / bins;
}

function largestExtents(
  maps: readonly NumberMap[],
  real: (value: number, channel: number) => number,
): Extent[] {
  const channels = maps[0]?.channels ?? 0;
  return Array.from({ length: channels }, (_, channel) => {
    let [above, below] = [0, 0];
    for (const map of maps) {
      const plane = map.height * map.width;
      for (let i = channel * plane; i < (channel + 1) * plane; i++) {
        const value = real(map.data[i] as number, channel);
        if (value > above) above = value;
        else if (-value > below) below = -value;
      }
    }
    return { above, below };
  });
}
