import { DenoiseError } from '@cipherdose/sdk/errors';
import type { DicomJob, DicomReply, DicomResults } from './jobs.ts';

/** A worker that reads and writes DICOM; it does one job after the other. */
export interface DicomWorker {
  run<Kind extends DicomJob['kind']>(job: Extract<DicomJob, { kind: Kind }>): Promise<DicomResults[Kind]>;
  /** Ends it; jobs that wait fail with CANCELLED. */
  terminate(): void;
}

interface Waiting {
  readonly resolve: (result: DicomResults[DicomJob['kind']]) => void;
  readonly reject: (error: DenoiseError) => void;
}

export function startDicomWorker(): DicomWorker {
  const worker = new Worker(new URL('./dicom-worker.js', import.meta.url), { type: 'module' });
  let waiting: Waiting[] = [];
  const failAll = (error: DenoiseError): void => {
    for (const job of waiting) job.reject(error);
    waiting = [];
  };
  worker.onmessage = ({ data }: MessageEvent<DicomReply>) => {
    const job = waiting.shift();
    if ('error' in data) job?.reject(DenoiseError.deserialise(data.error));
    else job?.resolve(data.result);
  };
  worker.onerror = () => failAll(new DenoiseError('WORKER_FAILED'));
  return {
    run: <Kind extends DicomJob['kind']>(job: Extract<DicomJob, { kind: Kind }>) =>
      new Promise<DicomResults[Kind]>((resolve, reject) => {
        waiting.push({ resolve: (result) => resolve(result as DicomResults[Kind]), reject });
        worker.postMessage(job);
      }),
    terminate() {
      worker.terminate();
      failAll(new DenoiseError('CANCELLED'));
    },
  };
}
