import { emptyMap, type FeatureMap } from './feature-map.ts';

/** Products are exact while they stay below 2^53. */
export const safeProduct = 2 ** 53;

// Where globals are looked up in a sandbox, as jest does, a global in the innermost loop costs more than all the rest.
const { floor } = Math;

/** Power of two division, halves rounded towards +infinity, then a clamp. Exact for |value| < 2^53. */
export const roundShift = (value: number, divisor: number, low: number, high: number): number => {
  const rounded = floor((value + divisor / 2) / divisor);
  return rounded < low ? low : rounded > high ? high : rounded;
};

/** floor(gain * sum / count + 1/2). Exact while (2 * gain * |x| + 1) * count is below 2^53 for every x of the sum. */
export const meanOfSum = (sum: number, count: number, gain: number): number =>
  floor((2 * gain * sum + count) / (2 * count));

/** How a rational result becomes an integer again: divided by 2^shift, rounded half up, clamped to low..high. */
export interface Rounding {
  readonly shift: number;
  readonly low: number;
  readonly high: number;
}

/**
 * x' = clamp(roundHalfUp(x * m / 2^shift), low, high), where m is positive[c] for x >= 0 and negative[c] below.
 * Covers ReLU (negative 0), leaky and parametric ReLU, clip and a plain change of scale.
 */
export function requantise(
  map: FeatureMap,
  rule: Rounding & { readonly positive: readonly number[]; readonly negative: readonly number[] },
): FeatureMap {
  const result = emptyMap(map.channels, map.height, map.width);
  const plane = map.height * map.width;
  const divisor = 2 ** rule.shift;
  const { low, high } = rule;
  for (let channel = 0; channel < map.channels; channel++) {
    const positive = (rule.positive[channel] ?? rule.positive[0]) as number;
    const negative = (rule.negative[channel] ?? rule.negative[0]) as number;
    for (let i = channel * plane; i < (channel + 1) * plane; i++) {
      const value = map.data[i] as number;
      result.data[i] = roundShift(value * (value < 0 ? negative : positive), divisor, low, high);
    }
  }
  return result;
}

/** One number for every channel, or a list with one for each. */
export type Coefficient = number | readonly number[];
const ofChannel = (coefficient: Coefficient, channel: number): number =>
  typeof coefficient === 'number' ? coefficient : ((coefficient[channel] ?? coefficient[0]) as number);

/**
 * x' = clamp(roundHalfUp((square * x^2 + slope * x + constant) / 2^shift), low, high); coefficients that are lists have
 * an entry for each channel, or a single one.
 */
export function polynomial(
  map: FeatureMap,
  rule: Rounding & {
    readonly square: Coefficient;
    readonly slope: Coefficient;
    readonly constant: Coefficient;
  },
): FeatureMap {
  const result = emptyMap(map.channels, map.height, map.width);
  const plane = map.height * map.width;
  const divisor = 2 ** rule.shift;
  const { low, high } = rule;
  for (let channel = 0; channel < map.channels; channel++) {
    const square = ofChannel(rule.square, channel);
    const slope = ofChannel(rule.slope, channel);
    const constant = ofChannel(rule.constant, channel);
    for (let i = channel * plane; i < (channel + 1) * plane; i++) {
      const value = map.data[i] as number;
      result.data[i] = roundShift((square * value + slope) * value + constant, divisor, low, high);
    }
  }
  return result;
}

/** A quadratic that holds from `start` on, in u = x - start. */
export interface Piece {
  readonly start: number;
  readonly square: number;
  readonly slope: number;
  readonly constant: number;
}

/**
 * x' = clamp(roundHalfUp((square * u^2 + slope * u + constant) / 2^shift), low, high), u = x - start, with the piece of
 * the largest start that is not above x.
 * @param rule pieces in ascending order; the first starts at or below every x
 */
export function piecewise(
  map: FeatureMap,
  rule: Rounding & { readonly pieces: readonly Piece[] },
): FeatureMap {
  const result = emptyMap(map.channels, map.height, map.width);
  const divisor = 2 ** rule.shift;
  const { pieces, low, high } = rule;
  for (let i = 0; i < map.data.length; i++) {
    const value = map.data[i] as number;
    const { start, square, slope, constant } = pieceAt(pieces, value);
    const u = value - start;
    result.data[i] = roundShift((square * u + slope) * u + constant, divisor, low, high);
  }
  return result;
}

function pieceAt(pieces: readonly Piece[], value: number): Piece {
  let [first, last] = [0, pieces.length - 1];
  while (first < last) {
    const middle = (first + last + 1) >> 1;
    if ((pieces[middle] as Piece).start <= value) first = middle;
    else last = middle - 1;
  }
  return pieces[first] as Piece;
}

/** x' = clamp(roundHalfUp((a * multipliers[0] + b * multipliers[1]) / 2^shift), low, high), maps of one shape. */
export function weightedSum(
  a: FeatureMap,
  b: FeatureMap,
  rule: Rounding & { readonly multipliers: readonly [number, number] },
): FeatureMap {
  const result = emptyMap(a.channels, a.height, a.width);
  const divisor = 2 ** rule.shift;
  const [first, second] = rule.multipliers;
  for (let i = 0; i < a.data.length; i++)
    result.data[i] = roundShift(
      (a.data[i] as number) * first + (b.data[i] as number) * second,
      divisor,
      rule.low,
      rule.high,
    );
  return result;
}
