import { emptyMap, type FeatureMap } from './feature-map.ts';

/**
 * channels x h x w -> channels * f^2 x ceil(h/f) x ceil(w/f). Output channel (c * f + dy) * f + dx holds the pixels
 * (y * f + dy, x * f + dx) of channel c, as torch.nn.PixelUnshuffle does; pixels beyond the edge are 0.
 */
export function pixelUnshuffle(map: FeatureMap, factor: number): FeatureMap {
  const result = emptyMap(
    map.channels * factor * factor,
    Math.ceil(map.height / factor),
    Math.ceil(map.width / factor),
  );
  forEachRowPair(map, result, factor, (large, small, count) => {
    for (let i = 0; i < count; i++) result.data[small + i] = map.data[large + i * factor] as number;
  });
  return result;
}

/** The inverse of {@link pixelUnshuffle}, cut to `height` x `width`. */
export function pixelShuffle(map: FeatureMap, factor: number, height: number, width: number): FeatureMap {
  const result = emptyMap(map.channels / (factor * factor), height, width);
  forEachRowPair(result, map, factor, (large, small, count) => {
    for (let i = 0; i < count; i++) result.data[large + i * factor] = map.data[small + i] as number;
  });
  return result;
}

/** Calls `copy` with the offsets of each row of `small` and of its first pixel in `large`, and the pixels they share. */
function forEachRowPair(
  large: FeatureMap,
  small: FeatureMap,
  factor: number,
  copy: (largeOffset: number, smallOffset: number, count: number) => void,
): void {
  for (let channel = 0; channel < small.channels; channel++) {
    const source = Math.floor(channel / (factor * factor));
    const dy = Math.floor(channel / factor) % factor;
    const dx = channel % factor;
    const count = Math.ceil((large.width - dx) / factor);
    for (let y = 0; y * factor + dy < large.height; y++)
      copy(
        (source * large.height + y * factor + dy) * large.width + dx,
        (channel * small.height + y) * small.width,
        count,
      );
  }
}
