import type { HuImage } from '../image/index.ts';

/** A disc of known contrast, put into an image to see what a denoiser makes of its edge. */
export interface Disc {
  /** Centre, pixels. */
  readonly x: number;
  readonly y: number;
  /** Pixels. */
  readonly radius: number;
  /** HU added inside. */
  readonly contrast: number;
}

/** What is left of a disc: task-based, so nonlinear networks can be judged too. AAPM TG-233, section 3.4 */
export interface DiscResponse {
  /** Mean change in the inner half of the radius, in parts of the contrast: 1 is all of it. */
  readonly contrastKept: number;
  /** Distance in which the edge rises from 10 % to 90 % of what is kept, pixels. */
  readonly edgeWidth: number;
  /** Slices that a disc was put into. */
  readonly slices: number;
}

/** The image with a disc in it; pixels on its edge get their part. */
export function insertDisc(image: HuImage, { x, y, radius, contrast }: Disc): HuImage {
  const hu = image.hu.map((value, i) => {
    const distance = Math.hypot((i % image.width) - x, Math.floor(i / image.width) - y);
    const covered = Math.min(1, Math.max(0, radius - distance + 0.5));
    return Math.min(32767, Math.max(-32768, value + Math.round(covered * contrast)));
  });
  return { ...image, hu };
}

/** HU of a place that a disc may stand in. */
const softTissue = { low: -150, high: 250 };

/** The most even place of soft tissue that has room for a disc and its surroundings; undefined if there is none. */
export function evenPlace(reference: HuImage, radius: number): { x: number; y: number } | undefined {
  const reach = 2 * radius;
  let best: { x: number; y: number } | undefined;
  let least = Infinity;
  for (let y = reach; y < reference.height - reach; y += radius)
    for (let x = reach; x < reference.width - reach; x += radius) {
      const variance = varianceAround(reference, x, y, reach);
      if (variance < least) [best, least] = [{ x, y }, variance];
    }
  return best;
}

/** Infinity if a pixel is no soft tissue. */
function varianceAround({ hu, width }: HuImage, x: number, y: number, reach: number): number {
  let [count, sum, squares] = [0, 0, 0];
  for (let row = y - reach; row <= y + reach; row++)
    for (let column = x - reach; column <= x + reach; column++) {
      const value = hu[row * width + column] as number;
      if (value < softTissue.low || value > softTissue.high) return Infinity;
      count += 1;
      sum += value;
      squares += value * value;
    }
  return squares / count - (sum / count) ** 2;
}

/** Distance of two samples of the profile, pixels. */
const binWidth = 0.25;

/** Averages the profile of discs of one radius and contrast. */
export class DiscResponseMeter {
  readonly #radius: number;
  readonly #contrast: number;
  readonly #sums: Float64Array;
  readonly #counts: Float64Array;
  #slices = 0;

  constructor({ radius, contrast }: Pick<Disc, 'radius' | 'contrast'>) {
    this.#radius = radius;
    this.#contrast = contrast;
    const bins = Math.ceil((2 * radius) / binWidth);
    this.#sums = new Float64Array(bins);
    this.#counts = new Float64Array(bins);
  }

  /**
   * Takes up one slice, denoised with and without a disc at x, y.
   * @param withDisc, without both of the same size, with room of two radii around the disc
   */
  add(withDisc: HuImage, without: HuImage, { x, y }: Pick<Disc, 'x' | 'y'>): void {
    const reach = 2 * this.#radius;
    for (let row = y - reach; row <= y + reach; row++)
      for (let column = x - reach; column <= x + reach; column++) {
        const bin = Math.floor(Math.hypot(column - x, row - y) / binWidth);
        if (bin >= this.#sums.length) continue;
        const i = row * without.width + column;
        const change = (withDisc.hu[i] as number) - (without.hu[i] as number);
        this.#sums[bin] = (this.#sums[bin] as number) + change;
        this.#counts[bin] = (this.#counts[bin] as number) + 1;
      }
    this.#slices += 1;
  }

  /** Undefined if no disc was added or nothing is left of them. */
  result(): DiscResponse | undefined {
    const profile = [...this.#sums].flatMap((sum, bin) => {
      const count = this.#counts[bin] as number;
      return count === 0 ? [] : [{ distance: (bin + 0.5) * binWidth, change: sum / count, count }];
    });
    const inner = profile.filter(({ distance }) => distance <= this.#radius / 2);
    const pixels = inner.reduce((sum, { count }) => sum + count, 0);
    const kept = inner.reduce((sum, { change, count }) => sum + change * count, 0) / pixels;
    if (this.#slices === 0 || kept === 0) return undefined;
    // From outside inwards, the first place where the edge has risen to a level.
    const rise = (level: number): number => {
      for (let i = profile.length - 1; i > 0; i--) {
        const [outer, next] = [profile[i], profile[i - 1]] as [(typeof profile)[0], (typeof profile)[0]];
        const [from, to] = [outer.change / kept, next.change / kept];
        if (next.distance > 1.6 * this.#radius || to < level) continue;
        const part = to === from ? 1 : Math.min(1, Math.max(0, (level - from) / (to - from)));
        return outer.distance - part * (outer.distance - next.distance);
      }
      return 0;
    };
    return {
      contrastKept: kept / this.#contrast,
      edgeWidth: rise(0.1) - rise(0.9),
      slices: this.#slices,
    };
  }
}
