import { DenoiseError } from '@cipherdose/sdk/errors';
import { readCtSlice, writeDerivedSlice } from '@cipherdose/sdk/dicom';
import type { DicomFile, DicomJob, DicomReply, DicomResults } from './jobs.ts';

// DICOM is read and written here, so that it never holds up the viewer.

/** What is used of DedicatedWorkerGlobalScope, whose types exclude those of the page. */
interface WorkerScope {
  postMessage(reply: DicomReply, transfer: ArrayBufferLike[]): void;
  addEventListener(type: 'message', listener: (event: MessageEvent<DicomJob>) => void): void;
}

const scope = globalThis as unknown as WorkerScope;
scope.addEventListener('message', ({ data }) => {
  try {
    const [result, transfer] = answer(data);
    scope.postMessage({ result }, transfer);
  } catch (error) {
    scope.postMessage({ error: DenoiseError.wrap(error, 'INTERNAL').serialise() }, []);
  }
});

function answer(job: DicomJob): [DicomResults[DicomJob['kind']], transfer: ArrayBufferLike[]] {
  switch (job.kind) {
    case 'write': {
      const source = readCtSlice(job.file);
      const denoised = { width: source.image.width, height: source.image.height, hu: job.hu };
      const file: DicomFile = new Uint8Array(writeDerivedSlice(source, denoised, job.options));
      const { sopInstanceUid, seriesInstanceUid, studyInstanceUid } = readCtSlice(file);
      return [{ file, sopInstanceUid, seriesInstanceUid, studyInstanceUid }, [file.buffer]];
    }
    case 'compare':
      return [sameSlice(job.file, job.other), []];
  }
}

function sameSlice(file: DicomFile, other: DicomFile): boolean {
  const [a, b] = [readCtSlice(file), readCtSlice(other)];
  return (
    a.sopInstanceUid === b.sopInstanceUid &&
    a.image.hu.length === b.image.hu.length &&
    a.image.hu.every((value, i) => value === b.image.hu[i])
  );
}
