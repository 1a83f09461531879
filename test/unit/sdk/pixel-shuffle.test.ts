import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { pixelShuffle, pixelUnshuffle } from '@cipherdose/sdk/image';
import { randomMap } from '../../support/arbitraries.ts';

describe('pixel shuffle', () => {
  it('has the channel order of torch.nn.PixelUnshuffle', () => {
    // torch: pixel_unshuffle(arange(16).view(1, 1, 4, 4), 2)
    const map = { channels: 1, height: 4, width: 4, data: Int32Array.from({ length: 16 }, (_, i) => i) };
    const expected = [0, 2, 8, 10, 1, 3, 9, 11, 4, 6, 12, 14, 5, 7, 13, 15];
    expect([...pixelUnshuffle(map, 2).data]).toEqual(expected);
  });

  it('comes back for every size, odd ones included', () => {
    const sizes = fc.tuple(
      fc.integer({ min: 1, max: 3 }),
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 1, max: 40 }),
    );
    fc.assert(
      fc.property(
        sizes,
        fc.integer({ min: 2, max: 5 }),
        fc.integer(),
        ([channels, height, width], factor, seed) => {
          const map = randomMap(channels, height, width, 5000, seed);
          const small = pixelUnshuffle(map, factor);
          expect([small.channels, small.height, small.width]).toEqual([
            channels * factor * factor,
            Math.ceil(height / factor),
            Math.ceil(width / factor),
          ]);
          expect(pixelShuffle(small, factor, height, width)).toEqual(map);
        },
      ),
    );
  });
});
