import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { blend, type HuImage } from '@cipherdose/sdk/image';

const image = (hu: readonly number[]): HuImage => ({ width: hu.length, height: 1, hu: Int16Array.from(hu) });
const hu = fc.integer({ min: -32768, max: 32767 });

describe('blend', () => {
  it('gives whole HU, halves up', () => {
    expect([...blend(image([0, 0, 10, -3]), image([1, -1, 20, 4]), 50).hu]).toEqual([1, 0, 15, 1]);
    expect([...blend(image([0, 100]), image([100, 0]), 1).hu]).toEqual([1, 99]);
  });

  it('is the source at 0, the result at 100, and between them elsewhere', () => {
    fc.assert(
      fc.property(hu, hu, fc.integer({ min: 0, max: 100 }), (a, b, percent) => {
        const [mixed] = blend(image([a]), image([b]), percent).hu;
        expect(mixed).toBeGreaterThanOrEqual(Math.min(a, b));
        expect(mixed).toBeLessThanOrEqual(Math.max(a, b));
        expect(Math.abs((mixed as number) - (a + (percent / 100) * (b - a)))).toBeLessThanOrEqual(0.5);
        expect(blend(image([a]), image([b]), 0).hu[0]).toBe(a);
        expect(blend(image([a]), image([b]), 100).hu[0]).toBe(b);
      }),
    );
  });

  it.each([-1, 101, 0.5, Number.NaN])('refuses %p percent', (percent) => {
    expect(() => blend(image([0]), image([0]), percent)).toThrow(
      expect.objectContaining({ code: 'IMAGE_INVALID' }),
    );
  });
});
