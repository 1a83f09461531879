import type { HuImage } from '../image/index.ts';

/** Tissue classes by the HU of the reference. */
export const tissues = {
  lung: { low: -950, high: -600 },
  fat: { low: -140, high: -60 },
  softTissue: { low: -20, high: 100 },
  bone: { low: 250, high: 1500 },
} as const;
/** One of {@link tissues}. */
export type Tissue = keyof typeof tissues;

/** Mean of image - reference over the pixels of a class, HU; undefined where there are too few pixels to say. */
export type TissueBias = Readonly<Record<Tissue, number | undefined>>;

const fewestPixels = 500;
const names = Object.keys(tissues) as Tissue[];

/** Adds up how far images are from their references, tissue by tissue. */
export class TissueBiasMeter {
  readonly #sums = names.map((name) => ({ name, ...tissues[name], sum: 0, pixels: 0 }));

  /** Both of the same size. */
  add(image: HuImage, reference: HuImage): void {
    for (const tissue of this.#sums)
      for (let i = 0; i < reference.hu.length; i++) {
        const hu = reference.hu[i] as number;
        if (hu < tissue.low || hu > tissue.high) continue;
        tissue.sum += (image.hu[i] as number) - hu;
        tissue.pixels += 1;
      }
  }

  /** Means of everything that was added. */
  result(): TissueBias {
    const entries = this.#sums.map(({ name, sum, pixels }) => [
      name,
      pixels < fewestPixels ? undefined : sum / pixels,
    ]);
    return Object.fromEntries(entries) as TissueBias;
  }
}
