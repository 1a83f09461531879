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

  it('takes rows and columns by factors of their own, rows of a block before its columns', () => {
    const map = { channels: 1, height: 4, width: 3, data: Int32Array.from({ length: 12 }, (_, i) => i) };
    expect([...pixelUnshuffle(map, [2, 1]).data]).toEqual([0, 1, 2, 6, 7, 8, 3, 4, 5, 9, 10, 11]);
    expect([...pixelUnshuffle(map, [1, 3]).data]).toEqual([0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11]);
    expect(pixelUnshuffle(map, [2, 2])).toEqual(pixelUnshuffle(map, 2));
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
        fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 })),
        fc.integer(),
        ([channels, height, width], factor, seed) => {
          const map = randomMap(channels, height, width, 5000, seed);
          const small = pixelUnshuffle(map, factor);
          expect([small.channels, small.height, small.width]).toEqual([
            channels * factor[0] * factor[1],
            Math.ceil(height / factor[0]),
            Math.ceil(width / factor[1]),
          ]);
          expect(pixelShuffle(small, factor, height, width)).toEqual(map);
        },
      ),
    );
  });
});
