import {
  DiscResponseMeter,
  evenPlace,
  insertDisc,
  NoisePowerMeter,
  TissueBiasMeter,
  tissues,
  type DiscResponse,
  type NoisePowerSpectrum,
  type Tissue,
  type TissueBias,
} from '@cipherdose/sdk/assessment';
import type { HuImage } from '@cipherdose/sdk/image';
import type { ClearEvaluator } from './shipped-models.ts';

/** Whether an image still looks like CT: figures that PSNR and SSIM do not tell. In: low dose, Out: model. */
export interface AssessmentReport {
  readonly noiseIn: NoisePowerSpectrum | undefined;
  readonly noiseOut: NoisePowerSpectrum | undefined;
  /** Of the low dose by definition: contrast 1, the edge of a disc drawn on pixels. */
  readonly discIn: DiscResponse | undefined;
  readonly discOut: DiscResponse | undefined;
  readonly biasIn: TissueBias;
  readonly biasOut: TissueBias;
}

/** Of a lesion that a reader should not miss: 8 mm to 10 mm across on a usual field of view. */
const disc = { radius: 6, contrast: 60 };

/** Assesses a model slice by slice. */
export class Assessment {
  readonly #denoise: ClearEvaluator;
  readonly #noise = [new NoisePowerMeter(), new NoisePowerMeter()] as const;
  readonly #disc = [new DiscResponseMeter(disc), new DiscResponseMeter(disc)] as const;
  readonly #bias = [new TissueBiasMeter(), new TissueBiasMeter()] as const;

  constructor(denoise: ClearEvaluator) {
    this.#denoise = denoise;
  }

  /** Evaluates the model once more, on the low dose with a disc in it, if the slice has a place for one. */
  add(low: HuImage, denoised: HuImage, reference: HuImage): void {
    const images = [low, denoised] as const;
    for (const [i, image] of images.entries()) {
      this.#noise[i as 0 | 1].add(image, reference);
      this.#bias[i as 0 | 1].add(image, reference);
    }
    const place = evenPlace(reference, disc.radius);
    if (!place) return;
    const marked = insertDisc(low, { ...disc, ...place });
    this.#disc[0].add(marked, low, place);
    this.#disc[1].add(this.#denoise(marked), denoised, place);
  }

  report(): AssessmentReport {
    return {
      noiseIn: this.#noise[0].result(),
      noiseOut: this.#noise[1].result(),
      discIn: this.#disc[0].result(),
      discOut: this.#disc[1].result(),
      biasIn: this.#bias[0].result(),
      biasOut: this.#bias[1].result(),
    };
  }
}

/** The report in words. */
export function reportLines(report: AssessmentReport): string[] {
  const { noiseIn, noiseOut, discIn, discOut, biasIn, biasOut } = report;
  const lines: string[] = [];
  if (noiseIn && noiseOut)
    lines.push(
      `Noise in soft tissue  ${noiseIn.standardDeviation.toFixed(1)} -> ${noiseOut.standardDeviation.toFixed(1)} HU, mean frequency ${noiseIn.meanFrequency.toFixed(3)} -> ${noiseOut.meanFrequency.toFixed(3)} cycles a pixel`,
    );
  else lines.push('Noise in soft tissue  no region of 64x64 pixels lies in soft tissue');
  if (discIn && discOut)
    lines.push(
      `Disc of ${disc.contrast} HU, radius ${disc.radius} pixels  contrast kept ${(100 * discOut.contrastKept).toFixed(0)} %, edge ${discIn.edgeWidth.toFixed(2)} -> ${discOut.edgeWidth.toFixed(2)} pixels`,
    );
  for (const tissue of Object.keys(tissues) as Tissue[]) {
    const [before, after] = [biasIn[tissue], biasOut[tissue]];
    if (before === undefined || after === undefined) continue;
    lines.push(`Bias, ${labels[tissue]}  ${before.toFixed(2)} -> ${after.toFixed(2)} HU`);
  }
  return lines;
}

const labels: Record<Tissue, string> = { lung: 'lung', fat: 'fat', softTissue: 'soft tissue', bone: 'bone' };
