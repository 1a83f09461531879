import { correlate, type Convolution } from './correlate.ts';
import { emptyMap, type FeatureMap } from './feature-map.ts';
import { roundShift } from './fixed-point.ts';
import { windowedSize } from './pool.ts';

/** Integers of a convolution. */
export interface ConvolutionWeights {
  /** [out channel][in channel][kernel row][kernel column] */
  readonly weights: ArrayLike<number>;
  /** [out channel] */
  readonly bias: ArrayLike<number>;
  /** Sums are divided by 2^shift and rounded, halves up; absent: 0. */
  readonly shift?: number;
}

/** Values are integers in low..high. */
export interface ValueRange {
  readonly low: number;
  readonly high: number;
}

/**
 * A convolution (cross-correlation, zero padding) of integers. Exact as long as {@link accumulatorBounds} stay below
 * 2^52, and 2^31 after the shift.
 * @param map inChannels x height x width
 */
export function convolve(map: FeatureMap, shape: Convolution, layer: ConvolutionWeights): FeatureMap {
  const size = windowedSize(shape, map.height, map.width);
  const output = emptyMap(shape.outChannels, size.height, size.width);
  const divisor = 2 ** (layer.shift ?? 0);
  correlate(map, shape, layer.weights, layer.bias, (row, channel, y) => {
    if (divisor > 1)
      for (let x = 0; x < row.length; x++)
        row[x] = roundShift(row[x] as number, divisor, -(2 ** 31), 2 ** 31 - 1);
    output.data.set(row, (channel * size.height + y) * size.width);
  });
  return output;
}

/**
 * For every output channel the least and the largest accumulator that any input in the range can give, zero padding
 * included. Exact, and reached by the input that takes, at every tap, the end of the range that pulls the sum that way.
 */
export function accumulatorRanges({ weights, bias }: ConvolutionWeights, range: ValueRange): ValueRange[] {
  const low = Math.min(0, range.low);
  const high = Math.max(0, range.high);
  const taps = weights.length / bias.length;
  return Array.from(bias, (offset, channel) => {
    let positive = 0;
    let negative = 0;
    for (let i = channel * taps; i < (channel + 1) * taps; i++) {
      const weight = weights[i] as number;
      if (weight > 0) positive += weight;
      else negative -= weight;
    }
    return {
      low: positive * low - negative * high + offset,
      high: positive * high - negative * low + offset,
    };
  });
}

/** For every output channel the largest |accumulator| of its {@link accumulatorRanges}. */
export const accumulatorBounds = (layer: ConvolutionWeights, range: ValueRange): Float64Array =>
  Float64Array.from(accumulatorRanges(layer, range), ({ low, high }) =>
    Math.max(Math.abs(low), Math.abs(high)),
  );

/** The largest of {@link accumulatorBounds}. */
export const accumulatorBound = (layer: ConvolutionWeights, range: ValueRange): number =>
  accumulatorBounds(layer, range).reduce((most, bound) => Math.max(most, bound), 0);
