import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { broadcast, globalPool } from '@cipherdose/sdk/image';
import { randomMap } from '../support/arbitraries.ts';

const maps = fc
  .record({
    channels: fc.integer({ min: 1, max: 4 }),
    height: fc.integer({ min: 1, max: 40 }),
    width: fc.integer({ min: 1, max: 40 }),
    bits: fc.integer({ min: 0, max: 24 }),
    seed: fc.integer(),
  })
  .map(({ channels, height, width, bits, seed }) => randomMap(channels, height, width, 2 ** bits, seed));

/** floor(numerator / denominator) of whole numbers. */
function floorOf(numerator: bigint, denominator: bigint): bigint {
  const quotient = numerator / denominator;
  return quotient * denominator > numerator ? quotient - 1n : quotient;
}

test('one pixel of a channel is the mean times the gain, rounded half up, or the largest value', () => {
  fc.assert(
    fc.property(maps, fc.integer({ min: 1, max: 64 }), (map, gain) => {
      const count = map.height * map.width;
      const means = globalPool(map, { kind: 'mean', gain });
      const most = globalPool(map, { kind: 'max', gain: 1 });
      expect(means).toMatchObject({ channels: map.channels, height: 1, width: 1 });
      for (let channel = 0; channel < map.channels; channel++) {
        const pixels = [...map.data.subarray(channel * count, (channel + 1) * count)];
        const sum = pixels.reduce((total, pixel) => total + BigInt(pixel), 0n);
        const mean = floorOf(2n * BigInt(gain) * sum + BigInt(count), 2n * BigInt(count));
        expect(means.data[channel]).toBe(Number(mean));
        expect(most.data[channel]).toBe(Math.max(...pixels));
      }
    }),
    { numRuns: 300 },
  );
});

test('a pixel that is repeated is the largest and the mean of what comes of it', () => {
  fc.assert(
    fc.property(
      maps,
      fc.integer({ min: 1, max: 30 }),
      fc.integer({ min: 1, max: 30 }),
      (map, height, width) => {
        const pixel = globalPool(map, { kind: 'max', gain: 1 });
        const large = broadcast(pixel, height, width);
        expect(large).toMatchObject({ channels: map.channels, height, width });
        expect(globalPool(large, { kind: 'mean', gain: 1 })).toEqual(pixel);
        expect(globalPool(large, { kind: 'max', gain: 1 })).toEqual(pixel);
      },
    ),
    { numRuns: 100 },
  );
});
