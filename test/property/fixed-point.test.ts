import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { productRule } from '#server/network/step-rules.js';
import { polynomial, requantise, weightedSum, type FeatureMap } from '@cipherdose/sdk/image';

/** Halves towards +infinity, then the clamp, on integers of any size. */
function roundShift(value: bigint, shift: number, low: number, high: number): number {
  const doubled = 2n * value + 2n ** BigInt(shift);
  const divisor = 2n ** BigInt(shift + 1);
  const quotient = doubled / divisor;
  const floor = doubled < 0n && quotient * divisor !== doubled ? quotient - 1n : quotient;
  return Number(floor < BigInt(low) ? BigInt(low) : floor > BigInt(high) ? BigInt(high) : floor);
}

const map = (values: readonly number[], channels = 1): FeatureMap => ({
  channels,
  height: 1,
  width: values.length / channels,
  data: Int32Array.from(values),
});

const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const accumulator = fc.integer({ min: -(2 ** 30), max: 2 ** 30 });
const values = fc.array(accumulator, { minLength: 2, maxLength: 20 });
const range = fc.tuple(int32, int32).map(([a, b]) => ({ low: Math.min(a, b), high: Math.max(a, b) }));
/** 2^30 * 2^22 + 2^51 is below 2^53. */
const multiplier = fc.integer({ min: -(2 ** 22), max: 2 ** 22 });
const shift = fc.integer({ min: 0, max: 51 });

/** Integers of one scale that reach so far on both sides, and how far: from flags to those of many bits. */
const scaled = fc
  .record({ bits: fc.integer({ min: 1, max: 17 }), unit: fc.double({ min: 1e-4, max: 1e3, noNaN: true }) })
  .map(({ bits, unit }) => ({ scales: Float64Array.of(unit), low: 1 - 2 ** bits, high: 2 ** bits - 1 }));
const shares = fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 2, maxLength: 20 });

describe('fixed point is exact', () => {
  test('requantise', () => {
    fc.assert(
      fc.property(values, multiplier, multiplier, shift, range, (data, positive, negative, bits, clamp) => {
        const rule = { positive: [positive], negative: [negative], shift: bits, ...clamp };
        const expected = data.map((x) =>
          roundShift(BigInt(x) * BigInt(x < 0 ? negative : positive), bits, clamp.low, clamp.high),
        );
        expect([...requantise(map(data), rule).data]).toEqual(expected);
      }),
    );
  });

  test('requantise takes one multiplier for each channel', () => {
    const rule = { positive: [1, 2], negative: [3, 4], shift: 1, low: -100, high: 100 };
    expect([...requantise(map([5, -5, 5, -5], 2), rule).data]).toEqual([3, -7, 5, -10]);
  });

  test('polynomial', () => {
    const small = fc.array(fc.integer({ min: -(2 ** 17), max: 2 ** 17 }), { minLength: 1, maxLength: 20 });
    const square = fc.integer({ min: -(2 ** 16), max: 2 ** 16 });
    const slope = fc.integer({ min: -(2 ** 33), max: 2 ** 33 });
    const constant = fc.integer({ min: -(2 ** 49), max: 2 ** 49 });
    fc.assert(
      fc.property(small, square, slope, constant, shift, range, (data, a, b, c, bits, clamp) => {
        const rule = { square: a, slope: b, constant: c, shift: bits, ...clamp };
        const expected = data.map((x) => {
          const exact = BigInt(a) * BigInt(x) ** 2n + BigInt(b) * BigInt(x) + BigInt(c);
          return roundShift(exact, bits, clamp.low, clamp.high);
        });
        expect([...polynomial(map(data), rule).data]).toEqual(expected);
      }),
    );
  });

  test('weighted sum', () => {
    fc.assert(
      fc.property(
        values,
        multiplier,
        fc.integer({ min: -(2 ** 20), max: 2 ** 20 }),
        shift,
        range,
        (data, a, b, bits, clamp) => {
          const other = data.toReversed();
          const rule = { multipliers: [a, b] as [number, number], shift: Math.min(bits, 50), ...clamp };
          const expected = data.map((x, i) => {
            const exact = BigInt(a) * BigInt(x) + BigInt(b) * BigInt(other[i] as number);
            return roundShift(exact, rule.shift, clamp.low, clamp.high);
          });
          expect([...weightedSum(map(data), map(other), rule).data]).toEqual(expected);
        },
      ),
    );
  });

  test('a product of two values is rounded once', () => {
    fc.assert(
      fc.property(scaled, scaled, fc.integer({ min: 2, max: 17 }), shares, (a, b, bits, parts) => {
        const [left, right] = [
          parts.map((part) => Math.round(part * a.high)),
          parts.toReversed().map((part) => Math.round(part * b.high)),
        ];
        const units = (a.scales[0] as number) * (b.scales[0] as number);
        const high = 2 ** bits;
        const unit = (units * a.high * b.high) / high;
        const rule = productRule([a, b], { scales: Float64Array.of(unit), low: -high, high });
        const [plus, minus] = rule.sums.map((sum) =>
          polynomial(weightedSum(map(left), map(right), sum), rule.square),
        ) as [FeatureMap, FeatureMap];
        weightedSum(plus, minus, rule.product).data.forEach((y, i) => {
          const exact = ((left[i] as number) * (right[i] as number) * units) / unit;
          expect(Math.abs(y - exact)).toBeLessThan(0.501);
        });
      }),
    );
  });
});
