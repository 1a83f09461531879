import { DenoiseError } from '../errors/index.ts';
import type { HuImage } from './hu-image.ts';

/**
 * The source moved towards the denoised image, in whole HU: source + round(percent / 100 * (denoised - source)), halves
 * up. 0 gives the source and 100 the denoised image, exactly.
 * @param target takes the HU; all three have the same length
 */
export function blendHu(source: Int16Array, denoised: Int16Array, percent: number, target: Int16Array): void {
  for (let i = 0; i < target.length; i++) {
    const from = source[i] as number;
    target[i] = from + Math.floor((percent * ((denoised[i] as number) - from) + 50) / 100);
  }
}

/**
 * How strongly a slice is denoised, chosen by whoever owns the image: it costs no exchange with the host.
 * @param percent see {@link checkStrength}
 * @throws IMAGE_INVALID if the sizes differ or the percentage is none
 */
export function blend(source: HuImage, denoised: HuImage, percent: number): HuImage {
  checkStrength(percent);
  if (source.width !== denoised.width || source.height !== denoised.height)
    throw new DenoiseError('IMAGE_INVALID', { reason: 'sizes differ' });
  if (percent === 100) return denoised;
  const hu = new Int16Array(denoised.hu.length);
  blendHu(source.hu, denoised.hu, percent, hu);
  return { ...denoised, hu };
}

/** Strength is a whole percentage, 0..100. @throws IMAGE_INVALID */
export function checkStrength(percent: number): void {
  if (!Number.isInteger(percent) || percent < 0 || percent > 100)
    throw new DenoiseError('IMAGE_INVALID', { reason: 'strength is not a whole percentage' });
}
