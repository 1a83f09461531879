import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { convolve } from '#server/network/clear-convolution.js';
import { correlateIntegers } from '#server/network/integer-correlate.js';
import { convolution, convolveByDefinition, integers, randomMap } from '../support/arbitraries.ts';

test('the fast convolution is the convolution by definition', () => {
  fc.assert(
    fc.property(convolution({ maxSide: 14, maxChannels: 4 }), fc.nat(3), (given, sparsity) => {
      const { node, height, width, seed } = given;
      const next = integers(seed);
      const taps = node.inChannels * node.kernel[0] * node.kernel[1];
      const weights = Int16Array.from({ length: node.outChannels * taps }, () =>
        next(0, 3) < sparsity ? 0 : next(-2047, 2047),
      );
      const bias = Int32Array.from({ length: node.outChannels }, () => next(-(2 ** 20), 2 ** 20));
      const map = randomMap(node.inChannels, height, width, 1500, seed);
      expect(convolve(map, node, { weights, bias })).toEqual(convolveByDefinition(map, node, weights, bias));
    }),
    { numRuns: 300 },
  );
});

test('large layers, which the WASM kernel does, are too', () => {
  let large = 0;
  fc.assert(
    fc.property(
      fc.record({
        kernel: fc.tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 6 })),
        pads: fc.tuple(fc.nat(4), fc.nat(4), fc.nat(4), fc.nat(4)),
        sides: fc.tuple(fc.integer({ min: 30, max: 70 }), fc.integer({ min: 30, max: 70 })),
        channels: fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 8, max: 24 })),
        bound: fc.constantFrom(4095, 32767, 40_000),
        seed: fc.integer(),
      }),
      ({ kernel, pads, sides, channels, bound, seed }) => {
        const [inChannels, outChannels] = channels;
        const node = { inChannels, outChannels, kernel, stride: [1, 1] as [number, number], padding: pads };
        const next = integers(seed);
        const count = outChannels * inChannels * kernel[0] * kernel[1];
        // Sums up to the edge of what a proved layer may hold.
        const most = Math.min(32767, Math.floor((2 ** 30 - 2 ** 20) / bound / (count / outChannels)));
        const weights = Int16Array.from({ length: count }, () => next(-most, most));
        const bias = Int32Array.from({ length: outChannels }, () => next(-(2 ** 20), 2 ** 20));
        const map = randomMap(inChannels, ...sides, bound, seed);
        const fast = correlateIntegers(map, node, { weights, bias });
        // Values beyond 16 bits are left to the evaluator in doubles.
        if (bound > 32767) expect(fast).toBeUndefined();
        if (fast) large += 1;
        const clear = convolveByDefinition(map, node, weights, bias);
        if (fast) expect(Buffer.from(fast.buffer).equals(Buffer.from(clear.data.buffer))).toBe(true);
      },
    ),
    { numRuns: 40 },
  );
  expect(large).toBeGreaterThan(0);
});
