import { PNG } from 'pngjs';
import type { HuImage } from '@cipherdose/sdk';

interface Window {
  readonly lowHu: number;
  readonly highHu: number;
}

const soft: Window = { lowHu: -160, highHu: 240 };
const difference: Window = { lowHu: -60, highHu: 60 };
/** White line between the panels, pixels. */
const gap = 4;

/**
 * A PNG of four panels of one slice: low dose and denoised above; what was removed, and the normal dose, below. Images
 * are shown from -160 (black) to 240 HU (white), the difference from -60 to 60 HU, where grey is none.
 */
export function beforeAfterPng(lowDose: HuImage, denoised: HuImage, normalDose: HuImage): Buffer {
  const { width, height } = lowDose;
  const removed = { ...lowDose, hu: lowDose.hu.map((hu, i) => hu - (denoised.hu[i] as number)) };
  const picture = { width: 2 * width + gap, height: 2 * height + gap };
  const data = Buffer.alloc(picture.width * picture.height, 255);
  const draw = (image: HuImage, window: Window, column: number, row: number): void => {
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++) {
        const target = (row * (height + gap) + y) * picture.width + column * (width + gap) + x;
        data[target] = grey(image.hu[y * width + x] as number, window);
      }
  };
  draw(lowDose, soft, 0, 0);
  draw(denoised, soft, 1, 0);
  draw(removed, difference, 0, 1);
  draw(normalDose, soft, 1, 1);
  const png = new PNG(picture);
  png.data = data;
  return PNG.sync.write(png, { colorType: 0, inputColorType: 0 });
}

const grey = (hu: number, { lowHu, highHu }: Window): number =>
  Math.round((255 * Math.min(Math.max(hu - lowHu, 0), highHu - lowHu)) / (highHu - lowHu));
