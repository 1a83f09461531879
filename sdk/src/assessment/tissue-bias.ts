import { padMap, pool, type HuImage } from '../image/index.ts';

/** Tissue classes by the median HU of the reference around a pixel. */
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

const side = 5;
const reach = (side - 1) / 2;

/** For every pixel how many of the 5x5 around it have HU of at least `least`; beyond the edge its last pixels go on. */
function atLeast({ width, height, hu }: HuImage, least: number): Int32Array {
  const data = Int32Array.from(hu, (value) => (value >= least ? 1 : 0));
  const map = { channels: 1, width, height, data };
  const padded = padMap(map, { fill: 'edge', padding: [reach, reach, reach, reach] });
  return pool(padded, { kind: 'sum', kernel: [side, side], stride: [1, 1], padding: [0, 0, 0, 0] }).data;
}

/**
 * Adds up how far images are from their references, tissue by tissue. A pixel is of a class if the median of the 5x5 around it
 * is: chosen by its own value it would be chosen for its noise too, which more often brings a pixel into a class from the side
 * where most of them are than out of it. Then an image without any noise seems to be biased against a noisy reference, by
 * -14 HU in bone for noise of 30 HU.
 */
export class TissueBiasMeter {
  readonly #sums = names.map((name) => ({ name, ...tissues[name], sum: 0, pixels: 0 }));

  /** Both of the same size. */
  add(image: HuImage, reference: HuImage): void {
    for (const tissue of this.#sums) {
      const [within, above] = [atLeast(reference, tissue.low), atLeast(reference, tissue.high + 1)];
      for (let i = 0; i < reference.hu.length; i++) {
        const inside = (within[i] as number) > side ** 2 / 2 && (above[i] as number) < side ** 2 / 2;
        if (!inside) continue;
        tissue.sum += (image.hu[i] as number) - (reference.hu[i] as number);
        tissue.pixels += 1;
      }
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
