import { afterAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createClientOver, type HuImage, type Transport } from '@cipherdose/sdk';
import { parameterSetNames } from '@cipherdose/sdk/protocol';
import { evaluateClear } from '#server/network/clear-evaluator.js';
import { integers } from '../support/arbitraries.ts';
import { memoryHost } from '../support/memory-host.ts';
import { randomNetwork } from '../support/random-network.ts';

// One client, and so one worker and key, for all networks: starting SEAL takes longer than a small network.
let host: Transport;
const client = createClientOver(
  {
    models: () => host.models(),
    model: (id) => host.model(id),
    evaluate: (request) => host.evaluate(request),
  },
  { workers: 1, attempts: 1 },
);
afterAll(() => client.close());

function randomImage(width: number, height: number, seed: number): HuImage {
  const next = integers(seed);
  const hu = Int16Array.from({ length: width * height }, () => next(-1200, 3200));
  const padding = Uint8Array.from({ length: width * height }, () => (next(0, 20) === 0 ? 1 : 0));
  return { width, height, hu, padding };
}

const side = fc.integer({ min: 1, max: 9 });
const networks = fc.record({
  seed: fc.integer(),
  parameterSet: fc.constantFrom(...parameterSetNames),
  kernels: fc.array(fc.tuple(side, side), { minLength: 1, maxLength: 3 }),
  widths: fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 })),
  factor: fc.integer({ min: 1, max: 3 }),
  stride: fc.tuple(fc.integer({ min: 1, max: 2 }), fc.integer({ min: 1, max: 2 })),
  activation: fc.constantFrom('leaky' as const, 'square' as const),
});
const sizes = fc.record({
  width: fc.integer({ min: 9, max: 140 }),
  height: fc.integer({ min: 9, max: 140 }),
  imageSeed: fc.integer(),
});

describe('encrypted === clear', () => {
  it('for random networks, kernels 1..9, strides 1 and 2 of rows and of columns, odd sizes, every parameter set', async () => {
    let runs = 0;
    let changed = 0;
    await fc.assert(
      fc.asyncProperty(networks, sizes, async (options, { width, height, imageSeed }) => {
        const network = randomNetwork({ ...options, ...(options.factor > 1 ? { stride: [1, 1] } : {}) });
        const image = randomImage(width, height, imageSeed);
        host = memoryHost(network);
        const clear = evaluateClear(network, image);
        const results = [];
        for await (const result of client.denoise(image, { model: 'random' })) results.push(result);
        expect(results).toEqual([expect.objectContaining({ ok: true, index: 0 })]);
        expect(results[0]).toHaveProperty('image.hu', clear.hu);
        runs += 1;
        if (!Buffer.from(clear.hu.buffer).equals(Buffer.from(image.hu.buffer))) changed += 1;
      }),
      { numRuns: 100 },
    );
    // The networks did something: otherwise equality would say nothing.
    expect(changed).toBeGreaterThan(0.9 * runs);
  }, 300_000);
});
