import { expect, test } from '@jest/globals';
import { nonLocalMeans, type FeatureMap } from '@cipherdose/sdk/image';
import { KeptMeans } from '#server/network/kept-means.js';
import { integers } from '../../support/arbitraries.ts';

const side = 16;
const rule = { search: 5, patch: 3, weights: [64, 32, 8, 0], multiplier: 1000, shift: 14, gain: 8 };
const map = (seed: number, low: number, high: number): FeatureMap => {
  const next = integers(seed);
  const data = Int32Array.from({ length: side * side }, () => next(low, high));
  return { channels: 1, height: side, width: side, data };
};
const inputs = { image: map(1, -20, 20), deviation: map(2, 5, 20), guide: map(3, -20, 20), rule };

test('what is made of the same is computed once, and what any input changes anew', () => {
  const means = new KeptMeans();
  const first = means.of('a', inputs);
  const { image, deviation, guide } = inputs;
  expect(first).toEqual(nonLocalMeans(image, deviation, rule, guide));
  const copy = { ...image, data: image.data.slice() };
  expect(means.of('a', { ...inputs, image: copy, rule: { ...rule } })).toBe(first);
  const others = [
    { ...inputs, image: map(4, -20, 20) },
    { ...inputs, deviation: map(5, 5, 20) },
    { ...inputs, guide: map(6, -20, 20) },
    { ...inputs, rule: { ...rule, weights: [64, 60, 50, 40] } },
  ];
  for (const other of others) {
    means.of('a', inputs);
    expect(means.of('a', other)).toEqual(
      nonLocalMeans(other.image, other.deviation, other.rule, other.guide),
    );
    expect(means.of('a', other)).not.toEqual(first);
  }
});

test('another place has its own', () => {
  const means = new KeptMeans();
  const first = means.of('a', inputs);
  const second = means.of('b', { ...inputs, image: map(7, -20, 20) });
  expect(second).not.toEqual(first);
  expect(means.of('a', inputs)).toBe(first);
});
