import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { convolve } from '#server/network/clear-convolution.js';
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
