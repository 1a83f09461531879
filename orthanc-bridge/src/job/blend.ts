import type { HuImage } from '@cipherdose/sdk/image';

/**
 * Mixes the source and the denoised image: source + strength * (denoised - source), rounded half up.
 * @param strength 0..1; 1 gives the denoised image itself.
 */
export function blend(source: HuImage, denoised: HuImage, strength: number): HuImage {
  if (strength === 1) return denoised;
  const hu = source.hu.map((value, pixel) => {
    const change = (denoised.hu[pixel] as number) - value;
    return Math.floor(value + strength * change + 0.5);
  });
  return { ...denoised, hu };
}
