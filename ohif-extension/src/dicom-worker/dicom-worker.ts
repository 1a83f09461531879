import { DenoiseError } from '@cipherdose/sdk/errors';
import { readCtSlice, writeDerivedSlice } from '@cipherdose/sdk/dicom';
import { readSlice } from '../dicom/read-slice.ts';
import type { DicomFile, DicomJob, DicomReply, DicomResults } from './jobs.ts';

// DICOM is read and written here, so that it never holds up the viewer.

// A decoder of compressed slices tells its progress by console.log.
globalThis.console.log = () => undefined;

/** What is used of DedicatedWorkerGlobalScope, whose types exclude those of the page. */
interface WorkerScope {
  postMessage(reply: DicomReply, transfer: ArrayBufferLike[]): void;
  addEventListener(type: 'message', listener: (event: MessageEvent<DicomJob>) => void): void;
}

const scope = globalThis as unknown as WorkerScope;
let last = Promise.resolve();
scope.addEventListener('message', ({ data }) => {
  last = last.then(() => serve(data));
});

async function serve(job: DicomJob): Promise<void> {
  try {
    const [result, transfer] = await answer(job);
    scope.postMessage({ result }, transfer);
  } catch (error) {
    scope.postMessage({ error: DenoiseError.wrap(error, 'INTERNAL').serialise() }, []);
  }
}

async function answer(job: DicomJob): Promise<[DicomResults[DicomJob['kind']], transfer: ArrayBufferLike[]]> {
  switch (job.kind) {
    case 'write': {
      const source = await readSlice(job.file);
      const denoised = { width: source.image.width, height: source.image.height, hu: job.hu };
      const file: DicomFile = new Uint8Array(writeDerivedSlice(source, denoised, job.options));
      const { sopInstanceUid, seriesInstanceUid, studyInstanceUid } = readCtSlice(file);
      return [{ file, sopInstanceUid, seriesInstanceUid, studyInstanceUid }, [file.buffer]];
    }
    case 'compare':
      return [await sameSlice(job.file, job.other), []];
  }
}

async function sameSlice(file: DicomFile, other: DicomFile): Promise<boolean> {
  const [a, b] = [readCtSlice(file), await readSlice(other)];
  return (
    a.sopInstanceUid === b.sopInstanceUid &&
    a.image.hu.length === b.image.hu.length &&
    a.image.hu.every((value, i) => value === b.image.hu[i])
  );
}
