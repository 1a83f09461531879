import { DenoiseError } from '@cipherdose/sdk/errors';
import { isDenoised, readCtSlice, sortSlices, writeDerivedSlice, type CtSlice } from '@cipherdose/sdk/dicom';
import type { DicomJob, DicomReply, ReadResult } from './dicom-jobs.ts';

// DICOM is read and written here, so that a large series never holds up the page.

/** What is used of DedicatedWorkerGlobalScope, whose types exclude those of the page. */
interface WorkerScope {
  postMessage(reply: DicomReply, transfer: ArrayBufferLike[]): void;
  addEventListener(type: 'message', listener: (event: MessageEvent<DicomJob>) => void): void;
}

const scope = globalThis as unknown as WorkerScope;
scope.addEventListener('message', (event) => {
  answer(event.data).then(
    ([result, transfer]) => scope.postMessage({ result }, transfer),
    (error: unknown) => scope.postMessage({ error: DenoiseError.wrap(error, 'INTERNAL').serialise() }, []),
  );
});

async function answer(
  job: DicomJob,
): Promise<[ReadResult | Uint8Array<ArrayBuffer>, transfer: ArrayBufferLike[]]> {
  if (job.kind === 'write') {
    const file = new Uint8Array(writeDerivedSlice(job.source, job.denoised, job.options));
    return [file, [file.buffer]];
  }
  const result = await readFiles(job.files);
  return [result, result.slices.map(({ image }) => image.hu.buffer)];
}

/** Reads every file; one that is refused does not stop the others. */
async function readFiles(files: readonly File[]): Promise<ReadResult> {
  const slices: CtSlice[] = [];
  const refused: ReadResult['refused'][number][] = [];
  for (const file of files)
    try {
      const slice = readCtSlice(await readBytes(file));
      if (isDenoised(slice)) refused.push({ name: file.name, error: undefined });
      else slices.push(slice);
    } catch (error) {
      refused.push({ name: file.name, error: DenoiseError.wrap(error, 'INTERNAL').serialise() });
    }
  return { slices: sortSlices(slices), refused };
}

async function readBytes(file: File): Promise<Uint8Array> {
  const bytes = await file.arrayBuffer().catch((cause: unknown) => {
    throw new DenoiseError('FILE_UNREADABLE', {}, { cause });
  });
  return new Uint8Array(bytes);
}
