import { DenoiseError } from '@cipherdose/sdk/errors';
import { safeProduct } from '@cipherdose/sdk/image';
import { isPerChannel, type Form } from './value-forms.ts';

/** Largest real value above 0 and largest magnitude below 0 that a channel takes. */
export interface Extent {
  readonly above: number;
  readonly below: number;
}

/** Real range that a value never leaves. */
export interface Clip {
  readonly low: number;
  readonly high: number;
}

/** Integers low..high of a value and the real value of one unit: one for each channel, or a single one for all. */
export interface Scaling {
  readonly scales: Float64Array;
  readonly low: number;
  readonly high: number;
}

/** What one unit of an `output` value adds to the output, HU. */
export const outputUnit = 1 / 16;
const outputReach = 2 ** 19;

/** A channel's scale is at least this part of the largest one: a channel that was quiet may not stay so. */
const quietest = 1 / 16;

/** The integers of an `output` value. @param gain HU of the output for one of the real value */
export function outputScaling(gain: number, clip: Clip): Scaling {
  const unit = outputUnit / (gain || 1);
  return {
    scales: Float64Array.of(unit),
    low: Math.max(-outputReach, Math.round(clip.low / unit)),
    high: Math.min(outputReach - 1, Math.round(clip.high / unit)),
  };
}

/**
 * Chooses the integers of a value from the extents that its channels had in calibration.
 * @param bits of the larger side; unsigned values use all of them, signed ones have a sign on top
 * @param clip real range outside which the value never lies
 * @param headroom how much the extents that were seen are widened, so that images unlike the calibration's are not
 *   clipped
 */
export function chooseScaling(
  form: Exclude<Form, 'output'>,
  extents: readonly Extent[],
  bits: number,
  clip: Clip,
  headroom = 2,
): Scaling {
  const widened = extents.map(({ above, below }) => ({
    above: Math.min(above * headroom, Math.max(0, clip.high)),
    below: Math.min(below * headroom, Math.max(0, -clip.low)),
  }));
  const all: Extent = {
    above: Math.max(...widened.map((extent) => extent.above)),
    below: Math.max(...widened.map((extent) => extent.below)),
  };
  const most = 2 ** bits - 1;
  const largest = Math.max(all.above, all.below);
  if (largest === 0) return { scales: Float64Array.of(1), low: -most, high: most };
  const high = Math.ceil((most * all.above) / largest);
  const low = all.below === 0 ? 0 : -Math.ceil((most * all.below) / largest);
  const scaleOf = ({ above, below }: Extent): number =>
    Math.max(high === 0 ? 0 : above / high, low === 0 ? 0 : below / -low);
  const common = scaleOf(all);
  const clipped = Number.isFinite(clip.low) || Number.isFinite(clip.high);
  if (isPerChannel(form) && !clipped)
    return {
      scales: Float64Array.from(widened, (extent) => Math.max(scaleOf(extent), common * quietest)),
      low,
      high,
    };
  return {
    scales: Float64Array.of(common),
    // What is above 0 stays so.
    low: Math.max(clip.low > 0 ? 1 : low, Math.round(clip.low / common)),
    high: Math.min(high, Math.round(clip.high / common)),
  };
}

const largestMultiplier = 2 ** 40;
const largestShift = 52;

/**
 * Integers m and a shift with m / 2^shift close to each ratio: exact and small if they can be, else with as many bits
 * as products below 2^53 leave.
 * @param product the largest |sum of ratio * x|
 * @param magnitude the largest sum of |x|
 * @param most what no multiplier may reach
 * @throws MODEL_INVALID if a ratio is too large for any shift
 */
export function chooseMultipliers(
  ratios: readonly number[],
  product: number,
  magnitude: number,
  most = largestMultiplier,
): { readonly multipliers: number[]; readonly shift: number } {
  const largest = Math.max(...ratios.map(Math.abs));
  // Rounding moves each m by 1/2 at most; adding half of 2^shift rounds the quotient.
  const fits = (shift: number): boolean =>
    (product + 2) * 2 ** shift + magnitude < safeProduct && largest * 2 ** shift < most;
  if (!fits(0)) throw new DenoiseError('MODEL_INVALID', { reason: 'a value grows beyond 2^53' });
  let shift = 0;
  const exact = (): boolean => ratios.every((ratio) => isWhole(ratio * 2 ** shift));
  while (shift < largestShift && fits(shift + 1) && !exact()) shift++;
  return { multipliers: ratios.map((ratio) => Math.round(ratio * 2 ** shift)), shift };
}

/** Whole up to the rounding of a few products of doubles. */
const isWhole = (value: number): boolean =>
  Math.round(value) !== 0 && Math.abs(value / Math.round(value) - 1) < 2 ** -48;
