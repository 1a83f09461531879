import { expect, test } from '@jest/globals';
import { checkActivation, type ActivationLiteral } from '#sdk/two-party/index.js';
import { planCarry, planComparison, type ComparisonTree } from '#sdk/two-party/comparison-tree.js';
import { present, seededSource } from '../../../support/two-party.ts';

/** What every signal must be for the pair (u, r), from the tree itself in the clear. */
function clearSignals(tree: ComparisonTree, u: number, r: number, subtract: number) {
  const greater: boolean[] = [];
  const equal: boolean[] = [];
  for (const { offset, width, signal, cappedSignal } of tree.digits) {
    const digit = (value: number) => Math.floor(value / 2 ** offset) % 2 ** width;
    const compare = (at: number, v: number) => {
      greater[at] = digit(r) > v;
      equal[at] = digit(r) === v;
    };
    compare(signal, 2 ** width - 1 - digit(u));
    if (cappedSignal !== undefined) compare(cappedSignal, 2 ** width - 1 - digit(subtract));
  }
  for (const { high, low, signal } of tree.nodes) {
    greater[signal] = present(greater[high]) || (present(equal[high]) && present(greater[low]));
    equal[signal] = present(equal[high]) && present(equal[low]);
  }
  return { greater, equal };
}

test('every tree that can be planned gives the carries, within three levels', () => {
  const words = new Uint32Array(64);
  seededSource(6)(new Uint8Array(words.buffer));
  let planned = 0;
  for (let l = 3; l <= 31; l++)
    for (let s = 1; s <= Math.min(16, l - 2); s++)
      for (let clamp = 0; clamp <= Math.min(12, l - 2 - s); clamp++) {
        const tree = planComparison(l, s, clamp);
        if (!tree) continue;
        planned++;
        expect(Math.max(0, ...tree.nodes.map(({ level }) => level))).toBeLessThanOrEqual(3);
        const size = 2 ** l;
        for (let i = 0; i < 64; i += 2) {
          const r = present(words[i]) % size;
          // Half of the pairs differ from an edge by a few units only.
          const u = i % 4 === 0 ? present(words[i + 1]) % size : (2 * size - r + (i % 7) - 3) % size;
          const capped = (u - 2 ** (s + clamp) + size) % size;
          const { greater } = clearSignals(tree, u, r, capped);
          const carry = (bits: number, of: number) => (r % 2 ** bits) + (of % 2 ** bits) >= 2 ** bits;
          const facts = [greater[tree.carry], greater[present(tree.top)]];
          const expected = [carry(s, u), carry(l - 1, u)];
          if (clamp > 0) {
            facts.push(greater[present(tree.cappedTop)]);
            expected.push(carry(l - 1, capped));
          }
          if (facts.some((fact, n) => fact !== expected[n])) throw new Error(`l=${l} s=${s} clamp=${clamp}`);
        }
      }
  expect(planned).toBeGreaterThan(2000);
});

test('a division alone compares what is below the shift', () => {
  for (let s = 1; s <= 16; s++) {
    const tree = planCarry(s);
    expect(tree).not.toHaveProperty('top');
    expect(Math.max(0, ...tree.nodes.map(({ level }) => level))).toBeLessThanOrEqual(2);
    for (const [u, r] of [
      [2 ** s - 1, 0],
      [2 ** s - 1, 1],
      [2 ** (s - 1), 2 ** (s - 1)],
      [2 ** (s - 1), 2 ** (s - 1) - 1],
      [2 ** 20, 2 ** 20],
    ] as const)
      expect([s, u, r, clearSignals(tree, u, r, 0).greater[tree.carry]]).toEqual([
        s,
        u,
        r,
        (u % 2 ** s) + (r % 2 ** s) >= 2 ** s,
      ]);
  }
});

const literal: ActivationLiteral = {
  accumulatorBits: 20,
  shift: 8,
  clampBits: 0,
  outputBits: 25,
  rounding: 'half-up',
};

test('the range in which an activation is exact', () => {
  expect(checkActivation(literal)).toMatchObject({ lowest: -(2 ** 19) - 128, highest: 2 ** 19 - 129 });
  expect(checkActivation({ ...literal, clampBits: 8, rounding: 'down' })).toMatchObject({
    lowest: -(2 ** 19) + 2 ** 16,
    highest: 2 ** 19 - 1,
  });
  const divides = checkActivation({ ...literal, outputBits: 12 });
  expect(divides).toMatchObject({ dividesOnly: true, lowest: -(2 ** 19) - 128, highest: 2 ** 19 - 129 });
  expect(checkActivation(literal).dividesOnly).toBe(false);
});

test.each<Partial<ActivationLiteral>>([
  { accumulatorBits: 2 },
  { accumulatorBits: 32 },
  { accumulatorBits: 20.5 },
  { shift: 0 },
  { shift: 17, accumulatorBits: 31 },
  { shift: 19 },
  { clampBits: -1 },
  { clampBits: 11 },
  { clampBits: Number.NaN },
  { outputBits: 11 },
  { outputBits: 12, clampBits: 3 },
  { outputBits: 33 },
  { rounding: 'up' as 'down' },
])('an activation that cannot be evaluated is refused: %p', (change) => {
  expect(() => checkActivation({ ...literal, ...change })).toThrow(
    expect.objectContaining({ code: 'TWO_PARTY_PARAMETERS' }),
  );
});
