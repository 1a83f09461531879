import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { quality, type HuImage } from '@cipherdose/sdk/image';

interface QualityCase {
  readonly width: number;
  readonly height: number;
  readonly image: readonly number[];
  readonly reference: readonly number[];
  readonly psnr: number;
  readonly ssim: number;
  readonly rmse: number;
}

const vectors = JSON.parse(readFileSync(new URL('quality.json', import.meta.url), 'utf8')) as {
  readonly cases: readonly QualityCase[];
};

const huImage = (width: number, height: number, hu: readonly number[]): HuImage => ({
  width,
  height,
  hu: Int16Array.from(hu),
});

describe('quality', () => {
  test.each(vectors.cases)('is that of scikit-image for $width x $height', (vector) => {
    const { width, height } = vector;
    const figures = quality(huImage(width, height, vector.image), huImage(width, height, vector.reference));
    expect(figures.psnr).toBeCloseTo(vector.psnr, 10);
    expect(figures.ssim).toBeCloseTo(vector.ssim, 10);
    expect(figures.rmse).toBeCloseTo(vector.rmse, 10);
  });

  test('equal images are perfect', () => {
    const image = huImage(
      8,
      8,
      Array.from({ length: 64 }, (_, i) => i * 30 - 1000),
    );
    expect(quality(image, image)).toEqual({ psnr: Infinity, ssim: 1, rmse: 0 });
  });

  test('only what the window shows counts', () => {
    const flat = huImage(8, 8, Array<number>(64).fill(-1000));
    const other = huImage(8, 8, Array<number>(64).fill(-400));
    expect(quality(flat, other).rmse).toBe(0);
  });

  test.each([
    [huImage(8, 8, Array<number>(64).fill(0)), huImage(4, 16, Array<number>(64).fill(0))],
    [huImage(6, 8, Array<number>(48).fill(0)), huImage(6, 8, Array<number>(48).fill(0))],
  ])('refuses other sizes', (image, reference) => {
    expect(() => quality(image, reference)).toThrow(expect.objectContaining({ code: 'IMAGE_INVALID' }));
  });
});
