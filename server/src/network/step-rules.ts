import { DenoiseError } from '@cipherdose/sdk/errors';
import { safeProduct } from '@cipherdose/sdk/image';
import {
  limits,
  type AddNode,
  type NonLocalMeansNode,
  type PolynomialNode,
  type RequantiseNode,
} from '@cipherdose/sdk/protocol';
import { coefficientAt } from './float-evaluator.ts';
import { chooseMultipliers, type Scaling } from './fixed-point-rules.ts';
import type { FloatActivation, FloatNonLocalMeans, FloatPolynomial } from './float-network.ts';

type RequantiseRule = Omit<RequantiseNode, 'op' | 'name' | 'input'>;
type PolynomialRule = Omit<PolynomialNode, 'op' | 'name' | 'input'>;
type AddRule = Omit<AddNode, 'op' | 'name' | 'inputs'>;
type NonLocalMeansRule = Omit<NonLocalMeansNode, 'op' | 'name' | 'inputs'>;

/** The integer form of an activation, from the integers of its input to those of its output. */
export function requantiseRule(
  { positive, negative }: Pick<FloatActivation, 'positive' | 'negative'>,
  input: Scaling,
  target: Scaling,
): RequantiseRule {
  const lists = [positive, negative, input.scales, target.scales];
  const channels = Math.max(...lists.map((list) => list.length));
  const ratios = [positive, negative].flatMap((multipliers) =>
    Array.from(
      { length: channels },
      (_, c) => (ofChannel(input.scales, c) * ofChannel(multipliers, c)) / ofChannel(target.scales, c),
    ),
  );
  const x = magnitude(input);
  const { multipliers, shift } = chooseMultipliers(ratios, Math.max(...ratios.map(Math.abs)) * x, x);
  return {
    positive: multipliers.slice(0, channels),
    negative: multipliers.slice(channels),
    shift,
    low: target.low,
    high: target.high,
  };
}

/** The integer form of a polynomial. The input has one scale, and so has the output unless coefficients are lists. */
export function polynomialRule(
  node: Pick<FloatPolynomial, 'square' | 'slope' | 'constant'>,
  input: Scaling,
  target: Scaling,
): PolynomialRule {
  const unit = singleScale(input);
  const coefficients = [node.square, node.slope, node.constant];
  const lists = coefficients.filter((coefficient) => typeof coefficient !== 'number');
  const channels = Math.max(target.scales.length, ...lists.map((list) => list.length));
  const ratios = coefficients.map((coefficient, i) =>
    Array.from(
      { length: channels },
      (_, channel) =>
        (coefficientAt(coefficient, channel) * unit ** (2 - i)) / ofChannel(target.scales, channel),
    ),
  ) as Three<number[]>;
  const x = magnitude(input);
  // As checkPlan bounds it: with the largest coefficient of each power, of whatever channel.
  const [square, slope, constant] = ratios.map((list) => Math.max(...list.map(Math.abs))) as Three<number>;
  const { multipliers, shift } = chooseMultipliers(
    ratios.flat(),
    (square * x + slope) * x + constant,
    x * x + x + 1,
    safeProduct,
  );
  const integers = [0, 1, 2].map((i) => {
    const list = multipliers.slice(i * channels, (i + 1) * channels);
    return channels === 1 ? (list[0] as number) : list;
  }) as Three<number | number[]>;
  const { low, high } = target;
  return { square: integers[0], slope: integers[1], constant: integers[2], shift, low, high };
}

type Three<T> = [T, T, T];

/** The integer form of a weighted sum. All sides have one scale. */
export function addRule(
  multipliers: readonly [number, number],
  [a, b]: readonly [Scaling, Scaling],
  target: Scaling,
): AddRule {
  const out = singleScale(target);
  const ratios = [(multipliers[0] * singleScale(a)) / out, (multipliers[1] * singleScale(b)) / out] as const;
  const product = Math.abs(ratios[0]) * magnitude(a) + Math.abs(ratios[1]) * magnitude(b);
  const chosen = chooseMultipliers(ratios, product, magnitude(a) + magnitude(b));
  const [first, second] = chosen.multipliers as [number, number];
  return { multipliers: [first, second], shift: chosen.shift, low: target.low, high: target.high };
}

/** Squares are divided until they are below. */
const mostSquare = 2 ** 31 - 1;

/** The integer form of a product: 4 ka b = (ka + b)^2 - (ka - b)^2, with a whole k for the smaller of the two. */
export interface ProductRule {
  readonly sums: readonly [AddRule, AddRule];
  readonly square: PolynomialRule;
  /** The difference of the squares. */
  readonly product: AddRule;
}

/** Both sides have one scale, and so has the target. */
export function productRule([a, b]: readonly [Scaling, Scaling], target: Scaling): ProductRule {
  const [x, y] = [Math.max(1, magnitude(a)), Math.max(1, magnitude(b))];
  const [first, second] = [Math.max(1, Math.floor(y / x)), Math.max(1, Math.floor(x / y))];
  const reach = first * x + second * y;
  const shift = Math.max(0, Math.ceil(Math.log2(reach ** 2 / mostSquare)));
  const high = Math.ceil(reach ** 2 / 2 ** shift);
  const unit = (singleScale(a) * singleScale(b) * 2 ** shift) / (4 * first * second);
  const squared: Scaling = { scales: Float64Array.of(unit), low: 0, high };
  const sum = (sign: 1 | -1): AddRule => ({
    multipliers: [first, sign * second],
    shift: 0,
    low: -reach,
    high: reach,
  });
  return {
    sums: [sum(1), sum(-1)],
    square: { square: 1, slope: 0, constant: 0, shift, low: 0, high },
    product: addRule([1, -1], [squared, squared], target),
  };
}

/** Of a mean over pixels: its integers for one of the image. */
const meanGain = 8;
/** Most that the weight of a pixel whose patch is the same may be. */
const largestWeight = 65_535;
/** Weights for differences of (h sigma)^2. */
const weightSteps = 64;
/** The least of floor(multiplier / deviation^2). */
const leastInverse = 256;

/** The integer form of non-local means: a table of weights, and what turns patch distances into places in it. */
export function nonLocalMeansRule(
  { search, patch, strength }: Pick<FloatNonLocalMeans, 'search' | 'patch' | 'strength'>,
  guide: Scaling,
  deviation: Scaling,
): NonLocalMeansRule {
  const stepsPerVariance = weightSteps / strength ** 2;
  // An integer patch distance over the square of an integer deviation, in steps.
  const ratio = (stepsPerVariance * singleScale(guide) ** 2) / (patch ** 2 * singleScale(deviation) ** 2);
  const shift = Math.max(0, Math.ceil(Math.log2((leastInverse * magnitude(deviation) ** 2) / ratio)));
  const alike = 2 * stepsPerVariance;
  // The largest weight for which the table, down to where weights round to 0, is not too long.
  const room = (limits.patchWeights - 2 - alike) / weightSteps;
  const own = Math.min(largestWeight, Math.floor(Math.exp(room) / 2));
  const weights: number[] = [];
  for (let weight = own; weight > 0;) {
    weights.push(weight);
    const middle = weights.length + 1 / 2;
    weight = Math.round(own * Math.exp(-Math.max(0, middle - alike) / weightSteps));
  }
  return { search, patch, weights, multiplier: Math.round(ratio * 2 ** shift), shift, gain: meanGain };
}

/** @throws MODEL_INVALID if the channels have scales of their own */
export function singleScale(value: Scaling): number {
  if (value.scales.length !== 1)
    throw new DenoiseError('MODEL_INVALID', { reason: 'channels differ in scale' });
  return value.scales[0] as number;
}

/** The entry of a channel in a list that has one for each, or a single one for all. */
export const ofChannel = (list: ArrayLike<number>, channel: number): number =>
  (list[channel] ?? list[0]) as number;

const magnitude = (value: Scaling): number => Math.max(Math.abs(value.low), Math.abs(value.high));
