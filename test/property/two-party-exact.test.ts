import { beforeAll, describe, expect, test } from '@jest/globals';
import { checkActivation, type ActivationParameters } from '#sdk/two-party/index.js';
import { planComparison } from '#sdk/two-party/comparison-tree.js';
import {
  activate,
  activatedModulo,
  countDifferences,
  edgesAndRandom,
  openPair,
  prepare,
  present,
  withMasks,
  type Pair,
} from '../support/two-party.ts';

const parameters = (
  accumulatorBits: number,
  shift: number,
  clampBits: number,
  rounding: 'half-up' | 'down' = 'half-up',
  outputBits = Math.min(32, accumulatorBits + 3),
): ActivationParameters => checkActivation({ accumulatorBits, shift, clampBits, outputBits, rounding });

let k4: Pair;
let k8: Pair;
beforeAll(() => {
  k4 = openPair(4, 10);
  k8 = openPair(8, 20);
});

describe('100,000 activations, edges and random', () => {
  test.each([
    [4, 20, 8, 0],
    [4, 20, 8, 8],
    [4, 26, 12, 0],
    [4, 25, 9, 10],
    [4, 31, 16, 0],
    [4, 31, 12, 12],
    [8, 20, 8, 0],
    [8, 25, 12, 8],
  ])('k = %p, l = %p, shift %p, clamp %p: no difference', (k, l, s, clamp) => {
    const checked = parameters(l, s, clamp);
    expect(countDifferences(k === 4 ? k4 : k8, checked, edgesAndRandom(checked, 100_000, l))).toBe(0);
  });
});

/** Every accumulator with every mask. @returns how many results are wrong, and how many were compared */
function exhaust(pair: Pair, checked: ActivationParameters): { wrong: number; compared: number } {
  const size = 2 ** checked.accumulatorBits;
  const half = checked.rounding === 'half-up' ? 2 ** (checked.shift - 1) : 0;
  const count = size * size;
  const accumulators = Int32Array.from({ length: count }, (_, i) => (i % size) - size / 2);
  const masks = Uint32Array.from({ length: count }, (_, i) => Math.floor(i / size));
  const given = withMasks(pair, masks);
  const shares = activate(given, prepare(given, checked, count), accumulators);
  let wrong = 0;
  let compared = 0;
  accumulators.forEach((y, i) => {
    // y + half wraps below as well as above.
    if (y < checked.lowest + half * Number(checked.clampBits > 0) || y > checked.highest) return;
    compared++;
    const sum = (present(shares.client[i]) + present(shares.host[i])) % 2 ** checked.outputBits;
    if (sum !== activatedModulo(y, checked)) wrong++;
  });
  pair.spoken.length = 0;
  return { wrong, compared };
}

describe('small rings, every accumulator with every mask', () => {
  test.each([3, 4, 5, 6, 7, 8])('l = %p, every shift and clamp', (l) => {
    let compared = 0;
    for (let s = 1; s <= l - 2; s++)
      for (let clamp = 0; clamp <= l - 2 - s; clamp++)
        for (const rounding of ['half-up', 'down'] as const) {
          // The largest ring has 65,536 pairs for each choice: half of the choices, all shifts and all clamps among them.
          if (l === 8 && (rounding === 'down' || (s + clamp) % 2 === 1)) continue;
          const outcome = exhaust(k4, parameters(l, s, clamp, rounding));
          expect(outcome).toMatchObject({ wrong: 0 });
          compared += outcome.compared;
        }
    expect(compared).toBeGreaterThan(4 ** l / 2);
  });
});

describe('a division alone, whose result keeps its sign', () => {
  const division = (l: number, s: number, rounding: 'half-up' | 'down' = 'half-up') =>
    parameters(l, s, 0, rounding, l - s);

  test.each([3, 4, 5, 6, 7])('l = %p, every accumulator with every mask, every shift', (l) => {
    for (let s = 1; s <= l - 2; s++)
      for (const rounding of ['half-up', 'down'] as const) {
        const { wrong, compared } = exhaust(k4, division(l, s, rounding));
        expect({ s, rounding, wrong }).toEqual({ s, rounding, wrong: 0 });
        expect(compared).toBeGreaterThan(4 ** l / 2);
      }
  });

  test.each([
    [4, 26, 13],
    [4, 31, 16],
    [8, 24, 11],
  ])('k = %p, l = %p, shift %p: 100,000 edges and random, no difference', (k, l, s) => {
    const checked = division(l, s);
    expect(countDifferences(k === 4 ? k4 : k8, checked, edgesAndRandom(checked, 100_000, l))).toBe(0);
  });

  test('every l and every shift, edges and random', () => {
    for (let l = 9; l <= 31; l++)
      for (let s = 1 + (l % 3); s <= Math.min(16, l - 2); s += 3) {
        const checked = division(l, s, s % 2 === 0 ? 'half-up' : 'down');
        const wrong = countDifferences(k4, checked, edgesAndRandom(checked, 2048, 100 * l + s));
        expect({ l, s, wrong }).toEqual({ l, s, wrong: 0 });
      }
  });
});

test('every twenty-fifth of all (l, shift, clamp), edges and random, with all widths of the result', () => {
  let tried = 0;
  for (let l = 9; l <= 31; l++)
    for (let s = 1; s <= Math.min(16, l - 2); s++)
      for (let clamp = 0; clamp <= Math.min(12, l - 2 - s); clamp++) {
        if (!planComparison(l, s, clamp) || (31 * l + 7 * s + clamp) % 25 !== 0) continue;
        const bits = l - s + 1 + ((l + s + clamp) % (32 - (l - s)));
        const checked = parameters(l, s, clamp, (l + s) % 2 === 0 ? 'half-up' : 'down', bits);
        const wrong = countDifferences(k4, checked, edgesAndRandom(checked, 2048, 100 * l + s));
        expect({ l, s, clamp, bits, wrong }).toEqual({ l, s, clamp, bits, wrong: 0 });
        tried++;
      }
  expect(tried).toBeGreaterThan(80);
});
