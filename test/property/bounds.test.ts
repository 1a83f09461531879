import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { accumulatorBound } from '@cipherdose/sdk/image';
import { isPrivateSet, parameterSet, parameterSetNames } from '@cipherdose/sdk/protocol';
import {
  largestWeightSum,
  noiseMargin,
  proveAccumulators,
  proveNoise,
  statisticalDistance,
  sumOfDistances,
  weightSum,
} from '#server/network/bounds.js';
import { convolve } from '#server/network/clear-convolution.js';
import { convolution, integers, randomMap } from '../support/arbitraries.ts';

const range = fc
  .tuple(fc.integer({ min: -4096, max: 4095 }), fc.integer({ min: -4096, max: 4095 }))
  .map(([a, b]) => ({ low: Math.min(a, b), high: Math.max(a, b) }));

const layer = fc
  .record({ out: fc.integer({ min: 1, max: 3 }), taps: fc.integer({ min: 1, max: 40 }), seed: fc.integer() })
  .map(({ out, taps, seed }) => {
    const next = integers(seed);
    return {
      taps,
      weights: Int16Array.from({ length: out * taps }, () => next(-32768, 32767)),
      bias: Int32Array.from({ length: out }, () => next(-(2 ** 20), 2 ** 20)),
    };
  });

describe('accumulator bound', () => {
  test('no input of the range leaves it', () => {
    fc.assert(
      fc.property(
        convolution({ maxSide: 9, maxChannels: 3 }),
        range,
        ({ node, height, width, seed }, { low, high }) => {
          const next = integers(seed);
          const taps = node.inChannels * node.kernel[0] * node.kernel[1];
          const weights = Int16Array.from({ length: node.outChannels * taps }, () => next(-600, 600));
          const bias = Int32Array.from({ length: node.outChannels }, () => next(-5000, 5000));
          const ends = randomMap(node.inChannels, height, width, 1, seed);
          const map = {
            ...ends,
            data: ends.data.map((end) => (end > 0 ? high : end < 0 ? low : next(low, high))),
          };
          const bound = accumulatorBound({ weights, bias }, { low, high });
          for (const y of convolve(map, node, { weights, bias }).data)
            expect(Math.abs(y)).toBeLessThanOrEqual(bound);
        },
      ),
    );
  });

  test('some input of the range, padding included, reaches it', () => {
    fc.assert(
      fc.property(layer, range, ({ weights, bias, taps }, { low, high }) => {
        const ends = [Math.min(0, low), Math.max(0, high)] as const;
        let reached = 0;
        bias.forEach((offset, channel) => {
          for (const sign of [-1, 1]) {
            let sum = offset;
            for (let i = channel * taps; i < (channel + 1) * taps; i++) {
              const weight = weights[i] as number;
              sum += weight * (weight * sign > 0 ? ends[1] : ends[0]);
            }
            reached = Math.max(reached, Math.abs(sum));
          }
        });
        expect(accumulatorBound({ weights, bias }, { low, high })).toBe(reached);
      }),
    );
  });

  test('t/2 itself is refused, one less is not', () => {
    const set = parameterSet('n4096-q60-t28');
    const one = { weights: Int16Array.of(2), bias: Int32Array.of(0) };
    expect(proveAccumulators(one, { low: 0, high: 2 ** 26 - 1 }, set)).toBe(2 ** 27 - 2);
    expect(() => proveAccumulators(one, { low: 0, high: 2 ** 26 }, set)).toThrow(
      expect.objectContaining({ code: 'ACCUMULATOR_BOUND' }),
    );
  });
});

describe('noise bound', () => {
  test.each(parameterSetNames)(
    '%s: the margin falls with the weights and ends at the largest sum',
    (name) => {
      const set = parameterSet(name);
      const most = largestWeightSum(set);
      expect(most).toBeGreaterThan(2 ** 18);
      expect(noiseMargin(0, set)).toBeGreaterThan(noiseMargin(most / 2, set));
      expect(noiseMargin(most * 0.999, set)).toBeGreaterThan(0);
      expect(noiseMargin(most * 1.001, set)).toBeLessThan(0);
    },
  );

  test('a layer of too many large weights is refused', () => {
    const set = parameterSet('n4096-q60-t31');
    const taps = 100;
    const heavy = { weights: new Int16Array(2 * taps).fill(-20_000), bias: new Int32Array(2) };
    expect(weightSum(heavy)).toBe(taps * 20_000);
    expect(() => proveNoise(heavy, set)).toThrow(expect.objectContaining({ code: 'NOISE_BOUND' }));
    expect(
      proveNoise({ weights: heavy.weights.subarray(0, 20), bias: new Int32Array(1) }, set),
    ).toBeGreaterThan(0);
  });
});

describe('statistical distance of the flood', () => {
  const sets = parameterSetNames.map(parameterSet).filter(isPrivateSet);

  test.each(sets)('$name: a slice of 2^19 accumulators stays beyond 2^-40', (set) => {
    // The largest sum|w| that inputs of 9 bits leave: 512 * sum < t/2.
    const bits = statisticalDistance(2 ** (set.plainModulusBits - 1 - 9), set);
    expect(sumOfDistances([{ bits, coefficients: 2 ** 19 }])).toBeGreaterThan(40);
    expect(noiseMargin(2 ** 17, set)).toBeGreaterThan(0.1);
  });

  test.each(sets)('$name: it is the flood over the noise, a bit less for weights twice as large', (set) => {
    const [one, two] = [2 ** 20, 2 ** 21].map((sum) => statisticalDistance(sum, set)) as [number, number];
    expect(one).toBeCloseTo(set.floodBits - Math.log2(21.5 * 2 ** 20), 3);
    expect(one - two).toBeCloseTo(1, 3);
    // The encryption of zero alone: a few thousand at most.
    expect(statisticalDistance(0, set)).toBeGreaterThan(set.floodBits - 12);
    expect(statisticalDistance(0, set)).toBeLessThan(set.floodBits - 8);
  });

  test('distances add up', () => {
    expect(sumOfDistances([{ bits: 60, coefficients: 1024 }])).toBeCloseTo(50, 9);
    expect(
      sumOfDistances([
        { bits: 60, coefficients: 1 },
        { bits: 60, coefficients: 1 },
      ]),
    ).toBeCloseTo(59, 9);
    expect(
      sumOfDistances([
        { bits: 1000, coefficients: 1 },
        { bits: 2200, coefficients: 8 },
      ]),
    ).toBeCloseTo(1000, 9);
  });
});
