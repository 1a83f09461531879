import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  advanceWalk,
  progressAfter,
  resumeWalk,
  type PendingLinear,
  type WalkProgress,
} from '@cipherdose/sdk/plan';
import { convolve } from '#server/network/clear-convolution.js';
import { evaluateClear } from '#server/network/clear-evaluator.js';
import { randomImage } from '../support/private-session.ts';
import { randomNetwork } from '../support/random-network.ts';

const cases = fc
  .record({
    seed: fc.integer(),
    factor: fc.constantFrom(1, 2),
    activation: fc.constantFrom('leaky' as const, 'square' as const),
  })
  .map((options) => {
    const kernels = [
      [3, 3],
      [1, 3],
      [3, 1],
    ] as const;
    const shape = { stride: [1, 1], widths: [3, 2], parameterSet: 'n4096-q60-t31', kernels } as const;
    return { image: randomImage(16, 12, options.seed), network: randomNetwork({ ...options, ...shape }) };
  });

test('a walk that is taken on by copies of where it stands ends where one in one place does', () => {
  fc.assert(
    fc.property(cases, ({ network, image }) => {
      const { plan, layers } = network;
      // As workers get it and send it back.
      const elsewhere = (progress?: WalkProgress): WalkProgress =>
        structuredClone(advanceWalk(plan, structuredClone(image), structuredClone(progress)));
      let progress = elsewhere();
      for (const [number, layer] of layers.entries()) {
        const pending = resumeWalk(plan, image, progress) as PendingLinear;
        expect(pending.node.layer).toBe(number);
        progress = elsewhere(progressAfter(pending, convolve(pending.input, pending.node, layer)));
      }
      expect([...progress.values.keys()]).toEqual([plan.output]);
      expect(resumeWalk(plan, image, progress)).toEqual({ done: true, image: evaluateClear(network, image) });
    }),
    { numRuns: 25 },
  );
});
