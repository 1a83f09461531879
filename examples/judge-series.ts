import { readFile } from 'node:fs/promises';
import type { HuImage } from '@cipherdose/sdk';
import { readCtSlice } from '@cipherdose/sdk/dicom';
import { quality, type Quality } from '@cipherdose/sdk/image';
import type { ClearEvaluator } from '@cipherdose/sdk/internal/cli/shipped-models.js';

/** The three files of one slice. */
export interface SliceFiles {
  readonly lowDose: string;
  readonly denoised: string;
  readonly normalDose: string;
}

/** Figures of a series: means over the slices, on -160..240 HU with a data range of 400. */
export interface Verdict {
  /** Every pixel of every slice is as the clear evaluator computes it. */
  readonly exact: boolean;
  /** HU */
  readonly maxAbsDiff: number;
  readonly psnrIn: number;
  readonly psnrOut: number;
  readonly ssimIn: number;
  readonly ssimOut: number;
}

/** Compares what came out, as it was written, with the clear evaluator and with the normal dose. */
export async function judgeSeries(slices: readonly SliceFiles[], clear: ClearEvaluator): Promise<Verdict> {
  let maxAbsDiff = 0;
  const [before, after]: [Quality[], Quality[]] = [[], []];
  for (const files of slices) {
    const lowDose = await readImage(files.lowDose);
    const denoised = await readImage(files.denoised);
    const normalDose = await readImage(files.normalDose);
    maxAbsDiff = Math.max(maxAbsDiff, largestDifference(denoised, clear(lowDose)));
    before.push(quality(lowDose, normalDose));
    after.push(quality(denoised, normalDose));
  }
  return {
    exact: maxAbsDiff === 0,
    maxAbsDiff,
    ...{ psnrIn: mean(before, 'psnr'), psnrOut: mean(after, 'psnr') },
    ...{ ssimIn: mean(before, 'ssim'), ssimOut: mean(after, 'ssim') },
  };
}

export const readImage = async (file: string): Promise<HuImage> => readCtSlice(await readFile(file)).image;

const largestDifference = (a: HuImage, b: HuImage): number =>
  a.hu.reduce((largest, hu, i) => Math.max(largest, Math.abs(hu - (b.hu[i] as number))), 0);

const mean = (list: readonly Quality[], figure: keyof Quality): number =>
  list.reduce((sum, one) => sum + one[figure], 0) / list.length;
