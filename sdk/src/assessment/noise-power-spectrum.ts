import FFT from 'fft.js';
import type { HuImage } from '../image/index.ts';

/** Noise of images against their references by spatial frequency, radially averaged. ICRU Report 87, section 4 */
export interface NoisePowerSpectrum {
  /** Regions of 64 x 64 pixels that were averaged. */
  readonly regions: number;
  /** Middle of each band, cycles per pixel, up to 0.5. */
  readonly frequencies: readonly number[];
  /** HU^2 pixel^2 */
  readonly power: readonly number[];
  /** Mean of the frequencies, weighted by power: the lower, the coarser the texture. Cycles per pixel. */
  readonly meanFrequency: number;
  /** HU, of all frequencies but 0. */
  readonly standardDeviation: number;
}

const side = 64;
const step = side / 2;
const bands = side / 2;
/** A region counts if the whole of it lies in soft tissue: HU of the reference. */
const body = { low: -200, high: 300 };

/** Averages the spectra of regions in soft tissue. */
export class NoisePowerMeter {
  readonly #fft = new FFT(side);
  readonly #sums = new Float64Array(side * side);
  #regions = 0;

  /** Both of the same size. */
  add(image: HuImage, reference: HuImage): void {
    const { width, height } = reference;
    for (let top = 0; top + side <= height; top += step)
      for (let left = 0; left + side <= width; left += step) {
        const noise = differences(image, reference, left, top);
        if (noise) this.#addRegion(noise);
      }
  }

  #addRegion(noise: Float64Array): void {
    const spectrum = this.#transform(noise);
    for (let i = 0; i < side * side; i++) {
      const [re, im] = [spectrum[2 * i] as number, spectrum[2 * i + 1] as number];
      this.#sums[i] = (this.#sums[i] as number) + (re * re + im * im) / (side * side);
    }
    this.#regions += 1;
  }

  /** Two-dimensional transform: rows, then columns. */
  #transform(values: Float64Array): Float64Array {
    const spectrum = new Float64Array(2 * side * side);
    const [input, output] = [this.#fft.createComplexArray(), this.#fft.createComplexArray()];
    for (let y = 0; y < side; y++) {
      for (let x = 0; x < side; x++) [input[2 * x], input[2 * x + 1]] = [values[y * side + x] as number, 0];
      this.#fft.transform(output, input);
      spectrum.set(output, 2 * y * side);
    }
    for (let x = 0; x < side; x++) {
      for (let y = 0; y < side; y++)
        for (const part of [0, 1]) input[2 * y + part] = spectrum[2 * (y * side + x) + part] as number;
      this.#fft.transform(output, input);
      for (let y = 0; y < side; y++)
        for (const part of [0, 1]) spectrum[2 * (y * side + x) + part] = output[2 * y + part] as number;
    }
    return spectrum;
  }

  /** Undefined if no region of any slice lay in soft tissue. */
  result(): NoisePowerSpectrum | undefined {
    if (this.#regions === 0) return undefined;
    const power = new Float64Array(bands);
    const counts = new Float64Array(bands);
    let [total, weighted] = [0, 0];
    for (let v = 0; v < side; v++)
      for (let u = 0; u < side; u++) {
        if (u === 0 && v === 0) continue;
        const value = (this.#sums[v * side + u] as number) / this.#regions;
        const radius = Math.hypot(Math.min(u, side - u), Math.min(v, side - v));
        total += value;
        weighted += value * (radius / side);
        const band = Math.round(radius) - 1;
        if (band < 0 || band >= bands) continue;
        power[band] = (power[band] as number) + value;
        counts[band] = (counts[band] as number) + 1;
      }
    return {
      regions: this.#regions,
      frequencies: Array.from(power, (_, band) => (band + 1) / side),
      power: Array.from(power, (sum, band) => sum / (counts[band] as number)),
      meanFrequency: total === 0 ? 0 : weighted / total,
      standardDeviation: Math.sqrt(total) / side,
    };
  }
}

/** image - reference without its mean, HU, or undefined if the region leaves the body. */
function differences(
  image: HuImage,
  reference: HuImage,
  left: number,
  top: number,
): Float64Array | undefined {
  const values = new Float64Array(side * side);
  let sum = 0;
  for (let y = 0; y < side; y++)
    for (let x = 0; x < side; x++) {
      const from = (top + y) * reference.width + left + x;
      const hu = reference.hu[from] as number;
      if (hu < body.low || hu > body.high) return undefined;
      const difference = (image.hu[from] as number) - hu;
      values[y * side + x] = difference;
      sum += difference;
    }
  const mean = sum / values.length;
  return values.map((value) => value - mean);
}
