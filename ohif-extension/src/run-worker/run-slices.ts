import type { DenoiseClient, DenoiseProgress, HuImage } from '@cipherdose/sdk';
import { DenoiseError, type ErrorCode } from '@cipherdose/sdk/errors';
import { isDenoised } from '@cipherdose/sdk/dicom';
import { readSlice } from '../dicom/read-slice.ts';
import { dicomwebArchive } from '../dicomweb/dicomweb-archive.ts';
import { StageClock, type Stage } from '../run/stage-clock.ts';
import type { Logins, NextSlice, RunSettings } from './messages.ts';

/** What a run asks for and tells. */
export interface RunEvents {
  readonly next: () => Promise<NextSlice | undefined>;
  readonly logins: () => Logins;
  readonly onSlice: (
    index: number,
    source: Int16Array<ArrayBuffer>,
    denoised: Int16Array<ArrayBuffer>,
  ) => void;
  /** A slice failed, and the others go on. */
  readonly onFailure: (index: number, error: DenoiseError) => void;
  readonly onProgress: (progress: DenoiseProgress, seconds: Readonly<Record<Stage, number>>) => void;
}

/** Failures of one slice; every other failure would meet the next slice too, and ends the run. */
const ofOneSlice: ReadonlySet<ErrorCode> = new Set([
  'DICOM_PARSE',
  'DICOM_NOT_CT',
  'DICOM_COMPRESSED',
  'DICOM_DECODE',
  'DICOM_MULTIFRAME',
  'DICOM_ATTRIBUTE_MISSING',
  'DICOM_ATTRIBUTE_INVALID',
  'DICOM_PIXEL_LENGTH',
  'DICOM_DENOISED',
  'IMAGE_INVALID',
]);

/** Reads and denoises the slices that `next` names. @throws what ends a run: failures of host, archive or workers */
export async function runSlices(
  client: DenoiseClient,
  settings: RunSettings,
  events: RunEvents,
): Promise<void> {
  const { model, mode, digest, slicesInFlight, expectedSlices } = settings;
  const clock = new StageClock();
  const taken: { readonly index: number; readonly image: HuImage }[] = [];
  const first = Promise.withResolvers<void>();
  const never = new AbortController();
  let fatal: DenoiseError | undefined;
  const archive = dicomwebArchive({
    wadoRoot: settings.wadoRoot,
    stowRoot: settings.wadoRoot,
    headers: () => events.logins().archive,
  });
  async function* images(): AsyncGenerator<HuImage, void, undefined> {
    for (;;) {
      // The slice on screen has the machine for itself, so that it is there soonest.
      if (taken.length === 1) await first.promise;
      const next = fatal ? undefined : await events.next();
      if (!next) return;
      try {
        const image = await fetchSlice(next);
        taken.push({ index: next.index, image });
        yield image;
      } catch (error) {
        fail(next.index, DenoiseError.wrap(error, 'INTERNAL'));
      }
    }
  }

  async function fetchSlice({ address }: NextSlice): Promise<HuImage> {
    const started = performance.now();
    const slice = await readSlice(await archive.retrieve(address, never.signal));
    clock.add('read', performance.now() - started);
    if (isDenoised(slice)) throw new DenoiseError('DICOM_DENOISED');
    const { image } = slice;
    if (image.width !== settings.columns || image.height !== settings.rows)
      throw new DenoiseError('IMAGE_INVALID', { reason: 'another size than the first slice' });
    return image;
  }

  function fail(index: number, error: DenoiseError): void {
    if (ofOneSlice.has(error.code)) events.onFailure(index, error);
    else fatal ??= error;
    first.resolve();
  }

  try {
    const results = client.denoise(images(), {
      ...{ model, mode, digest, slicesInFlight, expectedSlices },
      onProgress(progress) {
        clock.step(progress);
        events.onProgress(progress, clock.seconds);
      },
    });
    for await (const result of results) {
      const { index, image } = taken[result.index] as (typeof taken)[number];
      if (!result.ok) fail(index, result.error);
      else events.onSlice(index, new Int16Array(image.hu), new Int16Array(result.image.hu));
      first.resolve();
    }
  } finally {
    first.resolve();
  }
  if (fatal) throw fatal;
}
