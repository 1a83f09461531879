import { emptyMap, type FeatureMap } from './feature-map.ts';

/** Sides of the blocks of a pixel shuffle: one number for both, or [rows, columns]. */
export type ShuffleFactor = number | readonly [number, number];

/** [rows, columns] of a block. */
export const blockSides = (factor: ShuffleFactor): readonly [number, number] =>
  typeof factor === 'number' ? [factor, factor] : factor;

/** Pixels of a block: so many channels become of one. */
export const blockPixels = (factor: ShuffleFactor): number => {
  const [rows, columns] = blockSides(factor);
  return rows * columns;
};

/**
 * channels x h x w -> channels * f^2 x ceil(h/f) x ceil(w/f). Output channel (c * f + dy) * f + dx holds the pixels
 * (y * f + dy, x * f + dx) of channel c, as torch.nn.PixelUnshuffle does; pixels beyond the edge are 0. The same with a
 * factor of its own for rows and columns.
 */
export function pixelUnshuffle(map: FeatureMap, factor: ShuffleFactor): FeatureMap {
  const [rows, columns] = blockSides(factor);
  const result = emptyMap(
    map.channels * rows * columns,
    Math.ceil(map.height / rows),
    Math.ceil(map.width / columns),
  );
  forEachRowPair(map, result, factor, (large, small, count) => {
    for (let i = 0; i < count; i++) result.data[small + i] = map.data[large + i * columns] as number;
  });
  return result;
}

/** The inverse of {@link pixelUnshuffle}, cut to `height` x `width`. */
export function pixelShuffle(
  map: FeatureMap,
  factor: ShuffleFactor,
  height: number,
  width: number,
): FeatureMap {
  const [rows, columns] = blockSides(factor);
  const result = emptyMap(map.channels / (rows * columns), height, width);
  forEachRowPair(result, map, factor, (large, small, count) => {
    for (let i = 0; i < count; i++) result.data[large + i * columns] = map.data[small + i] as number;
  });
  return result;
}

/** Calls `copy` with the offsets of each row of `small` and of its first pixel in `large`, and the pixels they share. */
function forEachRowPair(
  large: FeatureMap,
  small: FeatureMap,
  factor: ShuffleFactor,
  copy: (largeOffset: number, smallOffset: number, count: number) => void,
): void {
  const [rows, columns] = blockSides(factor);
  for (let channel = 0; channel < small.channels; channel++) {
    const source = Math.floor(channel / (rows * columns));
    const dy = Math.floor(channel / columns) % rows;
    const dx = channel % columns;
    const count = Math.ceil((large.width - dx) / columns);
    for (let y = 0; y * rows + dy < large.height; y++)
      copy(
        (source * large.height + y * rows + dy) * large.width + dx,
        (channel * small.height + y) * small.width,
        count,
      );
  }
}
