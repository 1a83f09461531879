import type { HuImage } from '@cipherdose/sdk';

/** The range of HU that is spread over the greys of the screen. */
export interface GreyWindow {
  /** Middle, HU. */
  readonly level: number;
  /** Extent, HU, at least 1. */
  readonly width: number;
}

export interface WindowPreset extends GreyWindow {
  readonly id: string;
  readonly label: string;
}

export const windowPresets: readonly WindowPreset[] = [
  { id: 'soft', label: 'Soft tissue', level: 40, width: 400 },
  { id: 'lung', label: 'Lung', level: -600, width: 1500 },
  { id: 'bone', label: 'Bone', level: 300, width: 1500 },
];

/** How far the difference picture reaches, HU, either side of grey. */
const differenceReach = 100;

/** Draws a slice. */
export function paintSlice(canvas: HTMLCanvasElement, image: HuImage, { level, width }: GreyWindow): void {
  const low = level - width / 2;
  paint(canvas, image, (i) => (((image.hu[i] as number) - low) * 256) / width);
}

/** Draws `after` minus `before`, which have the same size. */
export function paintDifference(canvas: HTMLCanvasElement, before: HuImage, after: HuImage): void {
  paint(canvas, before, (i) => {
    const difference = (after.hu[i] as number) - (before.hu[i] as number);
    return 128 + (difference * 128) / differenceReach;
  });
}

function paint(canvas: HTMLCanvasElement, image: HuImage, greyAt: (pixel: number) => number): void {
  const { width, height } = image;
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext('2d', { alpha: false });
  if (!context) throw new TypeError('no 2D canvas');
  const picture = context.createImageData(width, height);
  // Bytes of the picture are clamped to 0..255 on assignment.
  for (let i = 0, at = 0; i < width * height; i++, at += 4) {
    const grey = greyAt(i);
    picture.data[at] = grey;
    picture.data[at + 1] = grey;
    picture.data[at + 2] = grey;
    picture.data[at + 3] = 255;
  }
  context.putImageData(picture, 0, 0);
}
