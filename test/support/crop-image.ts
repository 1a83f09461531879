import type { HuImage } from '@cipherdose/sdk/image';

/** `width` x `height` pixels of an image from column `left` and row `top` on, without its padding. */
export function cropImage(image: HuImage, left: number, top: number, width: number, height: number): HuImage {
  const hu = new Int16Array(width * height);
  for (let y = 0; y < height; y++) {
    const start = (top + y) * image.width + left;
    hu.set(image.hu.subarray(start, start + width), y * width);
  }
  return { width, height, hu };
}
