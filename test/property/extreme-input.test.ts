import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { HuImage } from '@cipherdose/sdk/image';
import { continueWalk, startWalk } from '@cipherdose/sdk/plan';
import { parameterSet } from '@cipherdose/sdk/protocol';
import { convolve } from '#server/network/clear-convolution.js';
import type { IntegerNetwork, LinearWeights } from '#server/network/integer-network.js';
import { loadModel } from '#server/registry/load-model.js';
import { integers } from '../support/arbitraries.ts';

const models = fileURLToPath(new URL('../../server/models', import.meta.url));
const side = 64;

/** Evaluates in the clear and checks that no accumulator leaves what import proved. */
function evaluateWithin(network: IntegerNetwork, image: HuImage): HuImage {
  const half = 2 ** (parameterSet(network.plan.parameterSet).plainModulusBits - 1);
  let step = startWalk(network.plan, image);
  while (!step.done) {
    const sums = convolve(step.input, step.node, network.layers[step.node.layer] as LinearWeights);
    const bound = step.node.accumulatorBound;
    expect(bound).toBeLessThan(half);
    const most = sums.data.reduce((largest, sum) => Math.max(largest, Math.abs(sum)), 0);
    expect(most).toBeLessThanOrEqual(bound);
    step = continueWalk(step, sums);
  }
  return step.image;
}

const noise = (seed: number): (() => number) => {
  const next = integers(seed);
  // The sum of twelve even draws: nearly normal, standard deviation 1.
  return () =>
    Array.from({ length: 12 }, () => next(0, 999) / 999 - 0.5).reduce((sum, draw) => sum + draw, 0);
};

interface Scene {
  readonly name: string;
  readonly hu: (x: number, y: number) => number;
}

/** Air, constants, metal at 3071 HU in a body, checkerboards of the extremes, values outside the range. */
const scenes: fc.Arbitrary<Scene> = fc.oneof(
  fc
    .constantFrom(-1024, -1000, 0, 40, 1500, 3071, -3024, 20_000)
    .map((value) => ({ name: `${value} HU`, hu: () => value })),
  fc.record({ x: fc.nat(side), y: fc.nat(side), radius: fc.integer({ min: 1, max: 20 }) }).map((disc) => ({
    name: `metal of radius ${disc.radius}`,
    hu: (x: number, y: number) => (Math.hypot(x - disc.x, y - disc.y) <= disc.radius ? 3071 : 40),
  })),
  fc.integer({ min: 1, max: 8 }).map((size) => ({
    name: `squares of ${size}`,
    hu: (x: number, y: number) => ((Math.floor(x / size) + Math.floor(y / size)) % 2 === 0 ? 3071 : -1024),
  })),
);

const folders = readdirSync(models, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .flatMap(({ name }) => readdirSync(`${models}/${name}`).map((version) => `${name}/${version}`));

describe.each(folders)('%s on extreme images', (folder) => {
  test('keeps every accumulator and every pixel within its bounds', async () => {
    const network = await loadModel(`${models}/${folder}`);
    const { lowHu, highHu } = network.plan.input;
    fc.assert(
      fc.property(scenes, fc.constantFrom(0, 20, 200), fc.integer(), ({ hu }, sd, seed) => {
        const draw = noise(seed);
        const image: HuImage = {
          width: side,
          height: side,
          hu: Int16Array.from({ length: side * side }, (_, i) =>
            Math.max(
              -32768,
              Math.min(32767, Math.round(hu(i % side, Math.floor(i / side)) + (sd && sd * draw()))),
            ),
          ),
        };
        const output = evaluateWithin(network, image);
        // What was clipped away comes back as it was.
        const inRange = output.hu.map((value, i) => {
          const original = image.hu[i] as number;
          return value - (original - Math.max(lowHu, Math.min(highHu, original)));
        });
        expect(Math.min(...inRange)).toBeGreaterThanOrEqual(lowHu);
        expect(Math.max(...inRange)).toBeLessThanOrEqual(highHu);
      }),
      { numRuns: 40 },
    );
  });

  test('does not blow up: what is constant stays so, and noise does not grow', async () => {
    const network = await loadModel(`${models}/${folder}`);
    const inner = (image: HuImage): number[] =>
      [...image.hu].filter((_, i) => {
        const [x, y] = [i % side, Math.floor(i / side)];
        return Math.min(x, y, side - 1 - x, side - 1 - y) >= 16;
      });
    for (const value of [-1000, 0, 40, 300, 1500, 3071]) {
      const image: HuImage = { width: side, height: side, hu: new Int16Array(side * side).fill(value) };
      for (const hu of inner(evaluateWithin(network, image)))
        expect(Math.abs(hu - value)).toBeLessThanOrEqual(60);
    }
    const draw = noise(1);
    const noisy: HuImage = {
      width: side,
      height: side,
      hu: Int16Array.from({ length: side * side }, () => Math.round(40 + 200 * draw())),
    };
    const spread = (values: readonly number[]): number =>
      Math.sqrt(values.reduce((sum, hu) => sum + (hu - 40) ** 2, 0) / values.length);
    expect(spread(inner(evaluateWithin(network, noisy)))).toBeLessThan(spread(inner(noisy)));
  });
});
