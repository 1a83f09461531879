import type { FeatureMap } from './feature-map.ts';
import { meanOfSum } from './fixed-point.ts';

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

/** What becomes of every window of a channel: the largest value, the sum, or floor(gain * mean + 1/2). */
export interface PoolRule extends Windows {
  readonly kind: 'max' | 'sum' | 'mean';
  /** Units of the result for one of the map; of a mean only. */
  readonly gain?: number | undefined;
}

/**
 * Every window of every channel as one value; padding is never the largest, adds nothing and does not count for a mean.
 * Exact while sums are below 2^31, and for a mean (2 * gain * |x| + 1) times the pixels of a window below 2^53.
 */
export function pool(map: FeatureMap, rule: PoolRule): FeatureMap {
  const { height, width } = windowedSize(rule, map.height, map.width);
  const [[rows, columns], [down, right], [top, left]] = [rule.kernel, rule.stride, rule.padding];
  const kind = rule.kind === 'max' ? 'max' : 'sum';
  const lines = { outer: map.channels * map.height, size: map.width, inner: 1, windows: width };
  const across = alongAxis(map.data, { ...lines, taps: columns, stride: right, before: left }, kind);
  const planes = { outer: map.channels, size: map.height, inner: width, windows: height };
  const data = alongAxis(across, { ...planes, taps: rows, stride: down, before: top }, kind);
  const result = { channels: map.channels, height, width, data };
  return rule.kind === 'mean' ? meansOfSums(result, rule, map) : result;
}

/** floor(gain * sum / count + 1/2), of the sums of windows over a map of that size. */
function meansOfSums(
  sums: FeatureMap,
  { kernel, stride, padding, gain = 1 }: PoolRule,
  of: FeatureMap,
): FeatureMap {
  const counts = (windows: number, size: number, axis: 0 | 1): number[] =>
    Array.from({ length: windows }, (_, window) => {
      const first = window * stride[axis] - padding[axis];
      return Math.min(size, first + kernel[axis]) - Math.max(0, first);
    });
  const [down, across] = [counts(sums.height, of.height, 0), counts(sums.width, of.width, 1)];
  const data = new Int32Array(sums.data.length);
  for (let row = 0; row < sums.channels * sums.height; row++)
    for (let column = 0; column < sums.width; column++) {
      const count = (down[row % sums.height] as number) * (across[column] as number);
      const at = row * sums.width + column;
      data[at] = meanOfSum(sums.data[at] as number, count, gain);
    }
  return { ...sums, data };
}

/** The middle axis of values [outer, size, inner], and windows of `taps` along it. */
interface Axis {
  readonly outer: number;
  readonly size: number;
  readonly inner: number;
  readonly windows: number;
  readonly taps: number;
  readonly stride: number;
  readonly before: number;
}

/** @returns [outer, windows, inner] */
function alongAxis(data: Int32Array, axis: Axis, kind: 'max' | 'sum'): Int32Array {
  const { outer, size, inner, windows, taps, stride, before } = axis;
  if (taps === 1 && stride === 1 && windows === size) return data;
  const result = new Int32Array(outer * windows * inner);
  const sliding = kind === 'sum' && stride === 1;
  for (let line = 0; line < outer; line++) {
    for (let window = 0; window < (sliding ? Math.min(1, windows) : windows); window++) {
      const first = window * stride - before;
      const at = (line * windows + window) * inner;
      const from = (line * size + Math.max(0, first)) * inner;
      const to = (line * size + Math.min(size, first + taps)) * inner;
      for (let i = 0; i < inner; i++) {
        let value = kind === 'max' ? least : 0;
        for (let tap = from + i; tap < to; tap += inner) {
          const one = data[tap] as number;
          value = kind === 'sum' ? value + one : one > value ? one : value;
        }
        result[at + i] = value;
      }
    }
    if (sliding) (inner === 1 ? slideRow : slideRows)(data, result, line, axis);
  }
  return result;
}

const least = -(2 ** 31);

/** All sums of a line but the first, which is there: the one before, with one value more and one less. */
function slideRows(data: Int32Array, result: Int32Array, line: number, axis: Axis): void {
  const { size, inner, windows, taps, before } = axis;
  for (let window = 1, last = taps - before; window < windows; window++, last++) {
    const enters = last < size ? (line * size + last) * inner : undefined;
    const leaves = last >= taps ? (line * size + last - taps) * inner : undefined;
    const at = (line * windows + window) * inner;
    for (let i = 0; i < inner; i++) {
      const entering = enters === undefined ? 0 : (data[enters + i] as number);
      const leaving = leaves === undefined ? 0 : (data[leaves + i] as number);
      result[at + i] = (result[at + i - inner] as number) + entering - leaving;
    }
  }
}

/** The same for lines of single values, three times as fast. */
function slideRow(data: Int32Array, result: Int32Array, line: number, axis: Axis): void {
  const { size, windows, taps, before } = axis;
  let sum = result[line * windows] as number;
  for (let window = 1, last = taps - before; window < windows; window++, last++) {
    if (last < size) sum += data[line * size + last] as number;
    if (last >= taps) sum -= data[line * size + last - taps] as number;
    result[line * windows + window] = sum;
  }
}
