import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { pool, windowedSize, type FeatureMap, type PoolRule } from '@cipherdose/sdk/image';
import { randomMap } from '../support/arbitraries.ts';

/** As the definition has it: window by window. Padding is never the largest, adds nothing and does not count. */
function byDefinition(map: FeatureMap, rule: PoolRule): number[] {
  const size = windowedSize(rule, map.height, map.width);
  const result: number[] = [];
  for (let channel = 0; channel < map.channels; channel++)
    for (let y = 0; y < size.height; y++)
      for (let x = 0; x < size.width; x++) {
        const seen: number[] = [];
        for (let ky = 0; ky < rule.kernel[0]; ky++)
          for (let kx = 0; kx < rule.kernel[1]; kx++) {
            const row = y * rule.stride[0] + ky - rule.padding[0];
            const column = x * rule.stride[1] + kx - rule.padding[1];
            if (row >= 0 && column >= 0 && row < map.height && column < map.width)
              seen.push(map.data[(channel * map.height + row) * map.width + column] as number);
          }
        result.push(ofWindow(seen, rule));
      }
  return result;
}

function ofWindow(seen: readonly number[], { kind, gain = 1 }: PoolRule): number {
  if (kind === 'max') return Math.max(...seen);
  const sum = seen.reduce((total, value) => total + value, 0);
  if (kind === 'sum') return sum;
  // floor(gain * mean + 1/2) without rounding on the way.
  const [twice, count] = [BigInt(2 * gain) * BigInt(sum) + BigInt(seen.length), BigInt(2 * seen.length)];
  const rest = ((twice % count) + count) % count;
  return Number((twice - rest) / count);
}

const axis = fc.integer({ min: 1, max: 7 }).chain((taps) =>
  fc.record({
    taps: fc.constant(taps),
    before: fc.nat(taps - 1),
    after: fc.nat(taps - 1),
    stride: fc.integer({ min: 1, max: 3 }),
    size: fc.integer({ min: taps, max: 12 }),
  }),
);

test('pools are the largest, the sum and the mean of every window, by definition', () => {
  fc.assert(
    fc.property(
      fc.tuple(
        axis,
        axis,
        fc.integer({ min: 1, max: 3 }),
        fc.constantFrom('max' as const, 'sum' as const, 'mean' as const),
      ),
      fc.integer({ min: 1, max: 900 }),
      fc.integer(),
      ([down, across, channels, kind], gain, seed) => {
        const rule: PoolRule = {
          kind,
          ...(kind === 'mean' ? { gain } : {}),
          kernel: [down.taps, across.taps],
          stride: [down.stride, across.stride],
          padding: [down.before, across.before, down.after, across.after],
        };
        const map = randomMap(channels, down.size, across.size, 2 ** 20, seed);
        expect([...pool(map, rule).data]).toEqual(byDefinition(map, rule));
      },
    ),
    { numRuns: 300 },
  );
});
