import type { HuImage } from '@cipherdose/sdk';
import { DenoiseError } from '@cipherdose/sdk/errors';
import type { CtSlice, DerivationOptions } from '@cipherdose/sdk/dicom';
import type { DicomJob, DicomReply, DicomResults, ReadResult } from './dicom-jobs.ts';

/** Reads files in a worker of their own. */
export const readFiles = (files: readonly File[]): Promise<ReadResult> =>
  withWorker((run) => run<'read'>({ kind: 'read', files }));

/** One slice to write. */
export interface DerivedSlice {
  readonly source: CtSlice;
  readonly denoised: HuImage;
}

/** Writes derived slices in a worker of their own, one after the other. @param onFile takes each DICOM file */
export const writeFiles = (
  derived: readonly DerivedSlice[],
  options: DerivationOptions,
  onFile: (file: Uint8Array<ArrayBuffer>, source: CtSlice) => void,
): Promise<void> =>
  withWorker(async (run) => {
    for (const slice of derived)
      onFile(await run<'write'>({ kind: 'write', ...slice, options }), slice.source);
  });

type RunJob = <Kind extends DicomJob['kind']>(
  job: Extract<DicomJob, { kind: Kind }>,
) => Promise<DicomResults[Kind]>;

/** A worker that lives as long as `use` runs. It does one job at a time. */
async function withWorker<T>(use: (run: RunJob) => Promise<T>): Promise<T> {
  const worker = new Worker(new URL('./dicom-worker.js', import.meta.url), { type: 'module' });
  const run: RunJob = <Kind extends DicomJob['kind']>(job: DicomJob) =>
    new Promise<DicomResults[Kind]>((resolve, reject) => {
      worker.onmessage = ({ data }: MessageEvent<DicomReply>) => {
        if ('error' in data) reject(DenoiseError.deserialise(data.error));
        else resolve(data.result as DicomResults[Kind]);
      };
      worker.onerror = () => reject(new DenoiseError('WORKER_FAILED'));
      worker.postMessage(job);
    });
  try {
    return await use(run);
  } finally {
    worker.terminate();
  }
}
