import { PNG } from 'pngjs';
import { DenoiseError } from '@cipherdose/sdk/errors';
import type { HuImage } from '@cipherdose/sdk/image';
import { storedInstances, uidsOf } from '../job/derived-series.ts';
import type { OrthancClient } from '../orthanc/orthanc-client.ts';
import type { SliceReader } from '../pixels/slice-reader.ts';
import type { JobRecord } from '../store/job-record.ts';

export type Side = 'before' | 'after';

export interface ImageTools {
  readonly orthancs: ReadonlyMap<string, OrthancClient>;
  readonly reader: Pick<SliceReader, 'read'>;
  /** HU that become black and white. */
  readonly window: { readonly low: number; readonly high: number };
}

/** One slice from the middle of a series, before and after, read from Orthanc each time; nothing is kept. */
export class SeriesImages {
  readonly #tools: ImageTools;

  constructor(tools: ImageTools) {
    this.#tools = tools;
  }

  /**
   * @returns a grey PNG with the rows and columns of the slice
   * @throws SERIES_GONE if there is no such slice, ORTHANC_*, the DICOM_* codes, CANCELLED
   */
  async render(job: JobRecord, side: Side, signal: AbortSignal): Promise<Buffer> {
    const { orthancs, reader, window } = this.#tools;
    const source = orthancs.get(job.orthanc);
    // A DICOMweb target is no Orthanc: of a series that went there only the slice before is shown.
    const target = orthancs.get(job.action.writeTo ?? job.orthanc);
    const middle = source && (await middleSlice(job, source, target));
    const [orthanc, instance] = side === 'before' ? [source, middle?.before] : [target, middle?.after];
    if (!orthanc || instance === undefined) throw new DenoiseError('SERIES_GONE', { job: job.id, side });
    const slice = await reader.read(await orthanc.instanceFile(instance, signal), signal);
    return greyPng(slice.image, window);
  }
}

/** Orthanc's ids of the slice in the middle, among those that were denoised as far as there are such. */
async function middleSlice(
  job: JobRecord,
  source: OrthancClient,
  target: OrthancClient | undefined,
): Promise<{ readonly before: string | undefined; readonly after: string | undefined }> {
  const { series, derivedSeriesUid } = job;
  const sources = (await source.seriesInstances(series)).sort((a, b) => a.number - b.number);
  const derived = target && derivedSeriesUid ? await storedInstances(target, derivedSeriesUid) : [];
  const derivedIds = new Map(derived.map(({ id, sopInstanceUid }) => [sopInstanceUid, id]));
  const pairs = sources.map(({ id, sopInstanceUid }) => {
    const uids = uidsOf(job, { sopInstanceUid, seriesInstanceUid: '' });
    return { before: id, after: derivedIds.get(uids.sopInstanceUid) };
  });
  const done = pairs.filter(({ after }) => after !== undefined);
  const candidates = done.length > 0 ? done : pairs;
  return candidates[candidates.length >> 1] ?? { before: undefined, after: undefined };
}

/** @param window HU that become black and white; values between are spread evenly over the greys. */
export function greyPng(
  { width, height, hu }: HuImage,
  { low, high }: { readonly low: number; readonly high: number },
): Buffer {
  const png = new PNG({ width, height, colorType: 0, inputColorType: 0, bitDepth: 8, inputHasAlpha: false });
  png.data = Buffer.from(Uint8ClampedArray.from(hu, (value) => ((value - low) / (high - low)) * 255));
  return PNG.sync.write(png, { colorType: 0, inputColorType: 0, inputHasAlpha: false });
}
