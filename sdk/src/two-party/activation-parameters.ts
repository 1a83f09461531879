import { DenoiseError } from '../errors/index.ts';
import { planCarry, planComparison, type ComparisonTree } from './comparison-tree.ts';

/** What an activation is, before it was checked. */
export interface ActivationLiteral {
  /** Accumulators are in [-2^(l-1), 2^(l-1)), l = 3..31; shares are used modulo 2^l. */
  readonly accumulatorBits: number;
  /** Power of two that divides, 1..16. */
  readonly shift: number;
  /** The result is at most 2^clampBits - 1, 1..12; 0: no clamp. */
  readonly clampBits: number;
  /**
   * Shares of the result are modulo 2^outputBits, l - shift + 1..32: the bits of the plain modulus of the next layer. Or
   * l - shift, without a clamp: then it is the division alone, the result has a sign, and there is no ReLU. For a result
   * that is opened afterwards.
   */
  readonly outputBits: number;
  /** Whether halves are rounded up before the division, or the division rounds down. */
  readonly rounding: 'half-up' | 'down';
}

/**
 * Checked: x' = min(max(0, (y + h) >> shift), 2^clampBits - 1), h = 2^(shift-1) for 'half-up', else 0; (y + h) >> shift
 * where it divides only. Exact for y in [lowest, highest].
 */
export interface ActivationParameters extends ActivationLiteral {
  readonly dividesOnly: boolean;
  readonly lowest: number;
  readonly highest: number;
  readonly tree: ComparisonTree;
}

/** @throws TWO_PARTY_PARAMETERS where a number is out of its range or the comparison needs more than three levels. */
export function checkActivation(literal: ActivationLiteral): ActivationParameters {
  const { accumulatorBits, shift, clampBits, outputBits, rounding } = literal;
  const refuse = (field: string): never => {
    throw new DenoiseError('TWO_PARTY_PARAMETERS', { field, accumulatorBits, shift, clampBits, outputBits });
  };
  const within = (value: number, low: number, high: number) =>
    Number.isInteger(value) && value >= low && value <= high;
  if (!within(accumulatorBits, 3, 31)) refuse('accumulatorBits');
  if (!within(shift, 1, Math.min(16, accumulatorBits - 2))) refuse('shift');
  if (!within(clampBits, 0, Math.min(12, accumulatorBits - 2 - shift))) refuse('clampBits');
  const dividesOnly = outputBits === accumulatorBits - shift;
  if (!within(outputBits, accumulatorBits - shift + (clampBits > 0 ? 1 : 0), 32)) refuse('outputBits');
  if (rounding !== 'half-up' && rounding !== 'down') refuse('rounding');
  const tree = dividesOnly
    ? planCarry(shift)
    : (planComparison(accumulatorBits, shift, clampBits) ?? refuse('depth'));
  const half = roundingTerm(literal);
  return Object.freeze({
    accumulatorBits,
    shift,
    clampBits,
    outputBits,
    rounding,
    dividesOnly,
    // With a clamp, y - 2^(shift + clamp) must not wrap either.
    lowest: -(2 ** (accumulatorBits - 1)) + (clampBits > 0 ? 2 ** (shift + clampBits) : 0) - half,
    highest: 2 ** (accumulatorBits - 1) - 1 - half,
    tree,
  });
}

/** What the host adds to an accumulator before the division. */
export const roundingTerm = ({ rounding, shift }: ActivationLiteral): number =>
  rounding === 'half-up' ? 2 ** (shift - 1) : 0;

/** The result in the clear, for y in the range that the parameters allow. */
export function activateClear(y: number, parameters: ActivationParameters): number {
  const { shift, clampBits, dividesOnly } = parameters;
  const quotient = Math.floor((y + roundingTerm(parameters)) / 2 ** shift);
  if (dividesOnly) return quotient;
  const value = Math.max(0, quotient);
  return clampBits > 0 ? Math.min(value, 2 ** clampBits - 1) : value;
}

/** Of a division alone: the result whose shares have this sum, which is taken modulo 2^outputBits. */
export function signedResult(sum: number, { outputBits }: ActivationLiteral): number {
  const unused = 32 - outputBits;
  return (sum << unused) >> unused;
}
