import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { readCtSlice, writeDerivedSlice, type DerivationOptions } from '@cipherdose/sdk/dicom';
import { makeCtDicom } from '../support/make-ct.ts';

const options: DerivationOptions = {
  model: { id: 'linear', version: '1', digest: '0'.repeat(64) },
  mode: 'linear',
  timestamp: new Date(0),
  softwareVersion: '0.1.0',
};

/** Objects of every pixel format, with padding or without, and an image to write in place of theirs. */
const objects = fc
  .record({
    signed: fc.boolean(),
    bitsStored: fc.integer({ min: 8, max: 16 }),
    intercept: fc.constantFrom(-1024, -1000, 0, 7),
  })
  .chain(({ signed, bitsStored, intercept }) => {
    const low = signed ? -(2 ** (bitsStored - 1)) : 0;
    const high = low + 2 ** bitsStored - 1;
    // What reads as HU in 16 bits, above what is taken for padding.
    const values = fc.integer({
      min: Math.max(low, -1999 - intercept),
      max: Math.min(high, 32767 - intercept),
    });
    return fc.record({
      ...{
        signed: fc.constant(signed),
        bitsStored: fc.constant(bitsStored),
        intercept: fc.constant(intercept),
      },
      ...{ low: fc.constant(low), high: fc.constant(high) },
      padding: fc.option(values, { nil: undefined }),
      pixels: fc.array(
        fc.record({
          stored: values,
          isPadding: fc.boolean(),
          denoised: fc.integer({ min: -32768, max: 32767 }),
        }),
        {
          minLength: 1,
          maxLength: 24,
        },
      ),
    });
  });

it('pixels -> file -> slice -> derived file -> slice loses nothing', () => {
  fc.assert(
    fc.property(objects, ({ signed, bitsStored, intercept, low, high, padding, pixels }) => {
      const stored = pixels.map((pixel) => (pixel.isPadding ? (padding ?? pixel.stored) : pixel.stored));
      const columns = pixels.length;
      const source = readCtSlice(
        makeCtDicom({
          ...{ rows: 1, columns, signed, bitsStored, intercept },
          words: stored.map((value) => value & (signed ? 0xffff : 2 ** bitsStored - 1)),
          ...(padding === undefined ? {} : { padding: { value: padding } }),
        }),
      );
      expect([...source.image.hu]).toEqual(stored.map((value) => value + intercept));
      expect(Boolean(source.image.padding)).toBe(stored.includes(padding ?? Number.NaN));

      const hu = Int16Array.from(pixels, ({ denoised }) => denoised);
      const derived = readCtSlice(writeDerivedSlice(source, { width: columns, height: 1, hu }, options));
      const expected = stored.map((value, index) => {
        if (value === padding) return value;
        return Math.max(low, Math.min(high, (hu[index] as number) - intercept));
      });
      expect([...derived.image.hu]).toEqual(
        expected.map((value) => Math.max(-32768, Math.min(32767, value + intercept))),
      );
    }),
    { numRuns: 300 },
  );
});
