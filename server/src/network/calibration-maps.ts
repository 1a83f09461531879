import type { FeatureMap, HuImage } from '@cipherdose/sdk/image';
import type { NumberMap } from './correlate.ts';
import type { Extent } from './fixed-point-rules.ts';

/** One channel of HU inside the model's range; padding is the lowest value, as when a plan is walked. */
export function clipImage(image: HuImage, lowHu: number, highHu: number): FeatureMap {
  const data = Int32Array.from(image.hu, (hu, i) =>
    image.padding?.[i] ? lowHu : Math.max(lowHu, Math.min(highHu, hu)),
  );
  return { channels: 1, height: image.height, width: image.width, data };
}

/** How far each channel goes from 0 over all images, after `real` made real values of what the maps hold. */
export function channelExtents(
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
