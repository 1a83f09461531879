import { DenoiseError } from '@cipherdose/sdk/errors';
import type { AddNode, PolynomialNode, RequantiseNode } from '@cipherdose/sdk/protocol';
import { chooseMultipliers, type Scaling } from './fixed-point-rules.ts';
import type { FloatActivation, FloatPolynomial } from './float-network.ts';

type RequantiseRule = Omit<RequantiseNode, 'op' | 'name' | 'input'>;
type PolynomialRule = Omit<PolynomialNode, 'op' | 'name' | 'input'>;
type AddRule = Omit<AddNode, 'op' | 'name' | 'inputs'>;

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

/** The integer form of a polynomial. Both sides have one scale. */
export function polynomialRule(
  { square, slope, constant }: Pick<FloatPolynomial, 'square' | 'slope' | 'constant'>,
  input: Scaling,
  target: Scaling,
): PolynomialRule {
  const [unit, out] = [singleScale(input), singleScale(target)];
  const ratios = [(square * unit * unit) / out, (slope * unit) / out, constant / out] as const;
  const x = magnitude(input);
  const product = (Math.abs(ratios[0]) * x + Math.abs(ratios[1])) * x + Math.abs(ratios[2]);
  const { multipliers, shift } = chooseMultipliers(ratios, product, x * x + x + 1);
  const [m2, m1, m0] = multipliers as [number, number, number];
  return { square: m2, slope: m1, constant: m0, shift, low: target.low, high: target.high };
}

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
