import { emptyMap, type FeatureMap } from './feature-map.ts';

/** How many windows of `taps` fit along one axis, with padding; not positive if none does. */
export const windowCount = (
  size: number,
  before: number,
  after: number,
  taps: number,
  stride: number,
): number => Math.floor((size + before + after - taps) / stride) + 1;

/** Windows over a map, as a convolution or a pool takes them. */
export interface Windows {
  /** [rows, columns] */
  readonly kernel: readonly [number, number];
  readonly stride: readonly [number, number];
  /** [top, left, bottom, right] */
  readonly padding: readonly [number, number, number, number];
}

/** Size of a map after windows were taken over it. */
export const windowedSize = (
  { kernel, stride, padding: [top, left, bottom, right] }: Windows,
  height: number,
  width: number,
): { height: number; width: number } => ({
  height: windowCount(height, top, bottom, kernel[0], stride[0]),
  width: windowCount(width, left, right, kernel[1], stride[1]),
});

/** The largest value or the sum of every window of every channel; padding is never the largest and adds nothing. */
export function pool(map: FeatureMap, rule: Windows & { readonly kind: 'max' | 'sum' }): FeatureMap {
  const { height, width } = windowedSize(rule, map.height, map.width);
  const result = emptyMap(map.channels, height, width);
  const [rows, columns] = rule.kernel;
  const [top, left] = rule.padding;
  let next = 0;
  for (let channel = 0; channel < map.channels; channel++)
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++) {
        const firstRow = y * rule.stride[0] - top;
        const firstColumn = x * rule.stride[1] - left;
        let value = rule.kind === 'max' ? -Infinity : 0;
        for (let row = Math.max(0, firstRow); row < Math.min(map.height, firstRow + rows); row++) {
          const start = (channel * map.height + row) * map.width;
          for (let at = Math.max(0, firstColumn); at < Math.min(map.width, firstColumn + columns); at++) {
            const pixel = map.data[start + at] as number;
            value = rule.kind === 'sum' ? value + pixel : pixel > value ? pixel : value;
          }
        }
        result.data[next++] = value;
      }
  return result;
}
