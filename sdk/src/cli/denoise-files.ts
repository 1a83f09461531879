import type { DenoiseClient, DenoiseProgress, HuImage, Mode } from '@cipherdose/sdk';
import { DenoiseError, type ErrorCode } from '@cipherdose/sdk/errors';
import { writeDerivedSlice, type CtSlice } from '@cipherdose/sdk/dicom';
import { OutputNames } from './output-names.ts';
import { packageVersion } from './package-version.ts';
import { JobReport } from './report.ts';
import { readSliceFile, writeWhole } from './slice-files.ts';

export interface DenoiseFilesOptions {
  readonly model: { readonly id: string; readonly version: string; readonly digest: string };
  readonly mode: Mode;
  /** See {@link DerivationOptions}. */
  readonly strengthPercent?: number;
  /** Folder that the derived files go to. */
  readonly out: string;
  /** Stands in every derived slice. */
  readonly timestamp: Date;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: DenoiseProgress) => void;
}

interface SliceUnderWay {
  readonly file: string;
  readonly source: CtSlice;
  readonly output: string;
}

/** After one of these no other slice can succeed: the rest is not tried. */
const endsTheJob: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'HOST_UNREACHABLE',
  'HOST_CLOSING',
  'UNAUTHENTICATED',
  'MODEL_UNKNOWN',
  'FRAME_DIGEST',
]);

/**
 * Reads, denoises and writes CT files. Only the slices under way are in memory, however long the series is. Never
 * throws DenoiseError: every file is in the report, done or failed.
 */
export async function denoiseFiles(
  client: DenoiseClient,
  files: readonly string[],
  options: DenoiseFilesOptions,
): Promise<JobReport> {
  const { model, mode, strengthPercent = 100, out, timestamp, signal, onProgress } = options;
  const report = new JobReport();
  const names = new OutputNames(out);
  const instances = new Set<string>();
  const underWay = new Map<number, SliceUnderWay>();
  let ended: DenoiseError | undefined;

  async function* images(): AsyncGenerator<HuImage, void, undefined> {
    let index = 0;
    for (const file of files) {
      if (ended) return;
      let source: CtSlice;
      try {
        source = await readSliceFile(file);
        if (instances.has(source.sopInstanceUid)) throw new DenoiseError('DICOM_DUPLICATE');
        instances.add(source.sopInstanceUid);
      } catch (error) {
        report.fail(file, DenoiseError.wrap(error, 'DICOM_PARSE'));
        continue;
      }
      underWay.set(index++, { file, source, output: names.pathFor(source, file) });
      yield source.image;
    }
  }

  const derivation = { model, mode, strengthPercent, timestamp, softwareVersion: packageVersion };
  const settings = {
    model: model.id,
    mode,
    digest: model.digest,
    strengthPercent,
    expectedSlices: files.length,
    ...(signal ? { signal } : {}),
    ...(onProgress ? { onProgress } : {}),
  };
  try {
    for await (const result of client.denoise(images(), settings)) {
      const { file, source, output } = underWay.get(result.index) as SliceUnderWay;
      underWay.delete(result.index);
      try {
        if (!result.ok) throw result.error;
        await writeWhole(output, writeDerivedSlice(source, result.image, derivation));
        report.done(file, output, result.statistics);
      } catch (error) {
        const failure = DenoiseError.wrap(error, 'UNEXPECTED');
        report.fail(file, failure);
        if (endsTheJob.has(failure.code)) ended ??= failure;
      }
    }
  } catch (error) {
    ended = DenoiseError.wrap(error, 'UNEXPECTED');
  }
  if (ended) for (const file of files) if (!report.has(file)) report.fail(file, ended);
  report.finish();
  return report;
}
