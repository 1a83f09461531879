import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Mode } from '@cipherdose/sdk';
import { blendHu } from '@cipherdose/sdk/image';
import { subtract } from '#ohif/run/subtract.js';
import { estimateRun, sliceCost } from '#ohif/run/estimate.js';
import { nearestSlice, rangeIndices } from '#ohif/run/slice-order.js';
import { StageClock } from '#ohif/run/stage-clock.js';
import { privateNetwork } from '../../support/private-network.ts';
import { smallPrivateNetwork } from '../../support/private-session.ts';

const hu = fc.integer({ min: -32768, max: 32767 });

describe('strength and difference', () => {
  test('0 is the source and 100 the result, exactly; all else lies between', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(hu, hu), { minLength: 1 }),
        fc.integer({ min: 0, max: 100 }),
        (pairs, percent) => {
          const source = Int16Array.from(pairs, ([a]) => a);
          const denoised = Int16Array.from(pairs, ([, b]) => b);
          const target = new Int16Array(pairs.length);
          blendHu(source, denoised, 0, target);
          expect(target).toEqual(source);
          blendHu(source, denoised, 100, target);
          expect(target).toEqual(denoised);
          blendHu(source, denoised, percent, target);
          pairs.forEach(([a, b], i) => {
            expect(target[i]).toBeGreaterThanOrEqual(Math.min(a, b));
            expect(target[i]).toBeLessThanOrEqual(Math.max(a, b));
          });
        },
      ),
    );
  });

  test('halves are rounded up', () => {
    const target = new Int16Array(3);
    blendHu(Int16Array.of(0, 0, 10), Int16Array.of(1, -1, 13), 50, target);
    expect([...target]).toEqual([1, 0, 12]);
  });

  test('a difference is clamped to 16 bits', () => {
    const target = new Int16Array(2);
    subtract(Int16Array.of(3000, 32767), Int16Array.of(-1024, -32768), target);
    expect([...target]).toEqual([4024, 32767]);
  });
});

describe('order of slices', () => {
  test('starts at the slice on screen, goes outward, and follows the user', () => {
    const waiting = new Set(rangeIndices('series', 4, 8));
    const order: number[] = [];
    const take = (focus: number): void => {
      const next = nearestSlice(waiting, focus);
      if (next === undefined) return;
      waiting.delete(next);
      order.push(next);
    };
    for (const focus of [4, 4, 4, 0, 0, 0, 0, 0]) take(focus);
    expect(order).toEqual([4, 5, 3, 0, 1, 2, 6, 7]);
    expect(nearestSlice(waiting, 4)).toBeUndefined();
  });

  test('ranges stop at the ends of the series', () => {
    expect(rangeIndices('slice', 3, 10)).toEqual([3]);
    expect(rangeIndices('nearby', 1, 10)).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(rangeIndices('series', 1, 3)).toEqual([0, 1, 2]);
    expect(rangeIndices('slice', 0, 1)).toEqual([0]);
  });
});

test('time between two steps of a slice belongs to the phase before', () => {
  let now = 0;
  const clock = new StageClock(() => now);
  const step = (at: number, slice: number, phase: 'encrypt' | 'evaluate' | 'decrypt' | 'done'): void => {
    now = at;
    clock.step({ slice, phase });
  };
  step(0, 0, 'encrypt');
  step(500, 1, 'encrypt');
  step(1000, 0, 'evaluate');
  step(3000, 0, 'decrypt');
  step(3500, 0, 'done');
  expect(clock.seconds).toEqual({ read: 0, encrypt: 1, evaluate: 2, decrypt: 0.5 });
});

test('a run is estimated from the cost of a slice and the slices before', () => {
  expect(estimateRun({ bytes: 15 }, 'series', 12, undefined)).toEqual({ bytes: 180, seconds: undefined });
  expect(estimateRun({ bytes: 15 }, 'nearby', 4, { slices: 2, seconds: 6 })).toEqual({
    bytes: 60,
    seconds: 12,
  });
});

describe('the cost of a slice', () => {
  const { plan } = privateNetwork(smallPrivateNetwork);
  const cost = { rounds: 3, ciphertextsUp: 1, ciphertextsDown: 1, bytesUp: 10, bytesDown: 5, products: 1 };
  const model = {
    ...{ id: plan.id, version: plan.version, digest: plan.digest, summary: 'test', cost },
    modes: ['interactive', 'private'] as const,
  };
  const choice = (mode: Mode) => ({ model: { ...model, modes: [...model.modes] }, mode });

  test('is what the host says, but for private mode', () => {
    expect(sliceCost(choice('interactive'), undefined)).toEqual({ bytes: 15, rounds: 3 });
  });

  test('in private mode is computed from the plan of this very model', () => {
    expect(sliceCost(choice('private'), undefined)).toBeUndefined();
    expect(sliceCost(choice('private'), { plan, digest: '0'.repeat(64) })).toBeUndefined();
    const {
      bytes = 0,
      onlineBytes = 0,
      rounds,
    } = sliceCost(choice('private'), { plan, digest: plan.digest }) ?? {};
    // 4, 3 and 4 channels on 256 x 256 places: about 130 bytes each, a third of them with the image.
    const activations = 11 * 256 ** 2;
    expect(bytes / activations).toBeGreaterThan(90);
    expect(bytes / activations).toBeLessThan(200);
    expect(onlineBytes / bytes).toBeGreaterThan(0.15);
    expect(onlineBytes / bytes).toBeLessThan(0.5);
    expect(rounds).toBe(10);
  });
});
