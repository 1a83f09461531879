import { Zip, ZipPassThrough } from 'fflate';
import { DenoiseError } from '@cipherdose/sdk/errors';
import { startDicomWorker } from '../dicom-worker/start-dicom-worker.ts';
import type { DicomFile, DicomResults } from '../dicom-worker/jobs.ts';
import type { DicomwebArchive } from '../dicomweb/dicomweb-archive.ts';
import type { DenoisedSeries } from '../run/denoised-series.ts';
import { derivationOptions, huToWrite, type DescriptionOptions } from './write-derived.ts';

export interface WriteOptions {
  readonly series: DenoisedSeries;
  readonly archive: DicomwebArchive;
  readonly description: DescriptionOptions;
  readonly signal: AbortSignal;
  readonly onProgress: (written: number, total: number) => void;
}

/** Writes every slice that is done, one after the other, each from its source as the archive holds it. */
async function writeSlices(
  { series, archive, description, signal, onProgress }: WriteOptions,
  onFile: (
    written: DicomResults['write'],
    index: number,
    isSame: (other: DicomFile) => Promise<boolean>,
  ) => Promise<void> | void,
): Promise<void> {
  const options = derivationOptions(series, description);
  const total = series.count('done');
  const worker = startDicomWorker();
  const stop = (): void => worker.terminate();
  signal.addEventListener('abort', stop, { once: true });
  let count = 0;
  try {
    for (const [index, slice] of series.slices.entries()) {
      const hu = huToWrite(series, index);
      if (!hu) continue;
      const file = await archive.retrieve(slice.address, signal);
      const written = await worker.run<'write'>({ kind: 'write', file, hu, options });
      await onFile(written, index, (other) =>
        worker.run<'compare'>({ kind: 'compare', file: written.file, other }),
      );
      onProgress(++count, total);
    }
  } finally {
    signal.removeEventListener('abort', stop);
    worker.terminate();
  }
}

/**
 * Stores the derived objects and reads each back: the archive holds the same bytes, or, if it rewrote the header, the
 * same object with the same pixels.
 * @throws WRITE_UNVERIFIED, ARCHIVE_*, CANCELLED; what was stored until then stays
 */
export async function saveSeries(options: WriteOptions): Promise<void> {
  const { archive, signal, series } = options;
  const { strength } = series;
  await writeSlices(options, async (written, _index, isSame) => {
    await archive.store(written.file, written.sopInstanceUid, signal);
    const held = await archive.retrieve(written, signal);
    const equal = held.length === written.file.length && held.every((byte, i) => byte === written.file[i]);
    if (!equal && !(await isSame(held))) throw new DenoiseError('WRITE_UNVERIFIED');
  });
  series.saved = { slices: series.count('done'), strength };
}

/** The derived objects in one ZIP archive, not compressed. */
export async function zipSeries(options: WriteOptions): Promise<Blob> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  const zip = new Zip((_error, part) => parts.push(new Uint8Array(part)));
  await writeSlices(options, ({ file }, index) => {
    const entry = new ZipPassThrough(`denoised/${String(index + 1).padStart(4, '0')}.dcm`);
    zip.add(entry);
    entry.push(file, true);
  });
  zip.end();
  return new Blob(parts, { type: 'application/zip' });
}
