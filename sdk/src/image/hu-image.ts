import { DenoiseError } from '../errors/index.ts';

/** A CT slice in Hounsfield units. */
export interface HuImage {
  readonly width: number;
  readonly height: number;
  /** Row-major, HU, length width * height. */
  readonly hu: Int16Array;
  /** 1 where the scanner wrote padding instead of an image; such pixels are masked and come back untouched. */
  readonly padding?: Uint8Array;
}

/** @throws IMAGE_INVALID if a size is not a whole number of 1..maxSide or an array has another length. */
export function checkHuImage(image: HuImage, maxSide: number): void {
  const { width, height, hu, padding } = image;
  const sane = [width, height].every((side) => Number.isInteger(side) && side >= 1 && side <= maxSide);
  if (!sane || !(hu instanceof Int16Array) || hu.length !== width * height)
    throw new DenoiseError('IMAGE_INVALID', { width, height, pixels: hu?.length ?? 0 });
  if (padding && padding.length !== hu.length)
    throw new DenoiseError('IMAGE_INVALID', { width, height, paddingPixels: padding.length });
}
