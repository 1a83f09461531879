import type { DenoiseClient } from '@cipherdose/sdk';
import { DenoiseError } from '@cipherdose/sdk/errors';
import {
  readEnhancedCt,
  writeDerivedSlice,
  type CtSlice,
  type DerivationOptions,
  type EnhancedCt,
} from '@cipherdose/sdk/dicom';
import type { HuImage } from '@cipherdose/sdk/image';
import { sourceState } from '../orthanc/answers.ts';
import type { OrthancClient } from '../orthanc/orthanc-client.ts';
import type { SliceReader } from '../pixels/slice-reader.ts';
import type { JobRecord } from '../store/job-record.ts';
import type { JobStore } from '../store/job-store.ts';
import { planDerived, strengthPercent, type PlannedSlice } from './derived-series.ts';
import type { DerivedTarget } from '../target/derived-target.ts';
import { surveySeries } from './survey-series.ts';

export interface SeriesRunTools {
  readonly source: OrthancClient;
  readonly target: DerivedTarget;
  readonly client: DenoiseClient;
  readonly reader: SliceReader;
  readonly jobs: JobStore;
  readonly softwareVersion: string;
  readonly slicesInFlight: number;
  readonly mostSlices: number;
  readonly onProgress: (progress: SeriesProgress) => void;
}

export interface SeriesProgress {
  readonly slicesDone: number;
  readonly slices: number;
  readonly secondsLeft: number | undefined;
  readonly bytesUp: number;
  readonly bytesDown: number;
}

export interface SeriesTotals {
  readonly slices: number;
  /** Slices that this run denoised; the others stood there verified already. */
  readonly denoised: number;
  readonly bytesUp: number;
  readonly bytesDown: number;
}

/** Series metadata of the source (ids from 1024 on are free for applications): what was made of it. */
const denoisedAsMetadata = '5002';

/**
 * Makes the derived series of one job complete: denoises the slices that are not there yet, one object after the other,
 * each verified. Killed at any point, it goes on with the same result: UIDs, timestamp and pixels are the same.
 * Only a few slices stand in memory.
 * @throws what the parts throw; SERIES_CHANGED if instances came or went meanwhile
 */
export async function runSeries(
  job: JobRecord,
  tools: SeriesRunTools,
  signal: AbortSignal,
): Promise<SeriesTotals> {
  const { source, target, jobs } = tools;
  const series = await source.series(job.series);
  if (series.Instances.length > tools.mostSlices)
    throw new DenoiseError('SERIES_MIXED', { reason: 'more instances than limits.slices' });
  const survey = surveySeries(await source.seriesTags(job.series), job.action);
  const { derivedSeriesUid, slices } = planDerived(survey, job);
  await jobs.plan(job.id, {
    ...{ instances: series.Instances.length, sourceState: sourceState(series) },
    ...{ slices: slices.length, derivedSeriesUid, leftOut: survey.leftOut },
  });

  const verified = await target.verified(derivedSeriesUid, await jobs.written(job.id));
  const missing = slices.filter(({ derivedSopInstanceUid }) => !verified.has(derivedSopInstanceUid));
  const bytes = await denoiseSlices(
    job,
    derivedSeriesUid,
    missing,
    slices.length - missing.length,
    tools,
    signal,
  );

  await checkComplete(target, derivedSeriesUid, slices);
  await checkUnchanged(source, job.series, series.Instances);
  await mark(job, tools, derivedSeriesUid, slices.length);
  return { slices: slices.length, denoised: missing.length, ...bytes };
}

async function denoiseSlices(
  job: JobRecord,
  derivedSeriesUid: string,
  missing: readonly PlannedSlice[],
  alreadyDone: number,
  tools: SeriesRunTools,
  signal: AbortSignal,
): Promise<{ bytesUp: number; bytesDown: number }> {
  const { target, client, jobs, slicesInFlight } = tools;
  const total = { bytesUp: 0, bytesDown: 0 };
  if (missing.length === 0) return total;
  const inFlight = new Map<number, CtSlice>();
  if (!target.removes) for await (const slice of readSlices(missing, tools, signal)) void slice;

  async function* images(): AsyncGenerator<HuImage> {
    let index = 0;
    for await (const slice of readSlices(missing, tools, signal)) {
      inFlight.set(index++, slice);
      yield slice.image;
    }
  }

  const options = {
    ...{ model: job.model, digest: job.digest, signal, slicesInFlight, expectedSlices: missing.length },
    strengthPercent: strengthPercent(job),
    ...(job.action.mode === undefined ? {} : { mode: job.action.mode }),
    onProgress: ({ slicesDone, secondsLeft, bytesUp, bytesDown }: SeriesProgress) =>
      tools.onProgress({
        ...{ slicesDone: slicesDone + alreadyDone, slices: missing.length + alreadyDone },
        ...{ secondsLeft, bytesUp, bytesDown },
      }),
  };
  for await (const result of client.denoise(images(), options)) {
    if (!result.ok) throw result.error;
    const slice = inFlight.get(result.index) as CtSlice;
    inFlight.delete(result.index);
    const object = writeDerivedSlice(slice, result.image, derivationOptions(job, tools.softwareVersion));
    const { derivedSopInstanceUid } = missing[result.index] as PlannedSlice;
    const uids = {
      studyInstanceUid: slice.studyInstanceUid,
      seriesInstanceUid: derivedSeriesUid,
      sopInstanceUid: derivedSopInstanceUid,
    };
    const md5 = await target.store(object, uids, signal);
    await jobs.recordWritten(job.id, derivedSopInstanceUid, md5);
    total.bytesUp += result.statistics.bytesUp;
    total.bytesDown += result.statistics.bytesDown;
  }
  return total;
}

async function* readSlices(
  planned: readonly PlannedSlice[],
  { source, reader }: SeriesRunTools,
  signal: AbortSignal,
): AsyncGenerator<CtSlice> {
  let multiFrame: { readonly instance: string; readonly object: EnhancedCt } | undefined;
  for (const { instance, frame } of planned) {
    if (frame === undefined) yield await reader.read(await source.instanceFile(instance, signal), signal);
    else {
      if (multiFrame?.instance !== instance)
        multiFrame = { instance, object: readEnhancedCt(await source.instanceFile(instance, signal)) };
      yield multiFrame.object.slice(frame);
    }
  }
}

function derivationOptions(job: JobRecord, softwareVersion: string): DerivationOptions {
  const { action } = job;
  return {
    model: { id: job.model, version: job.version, digest: job.digest },
    mode: action.mode ?? 'encrypted',
    strengthPercent: strengthPercent(job),
    timestamp: job.derivedOn,
    softwareVersion,
    seriesNumberOffset: action.seriesNumberOffset,
    descriptionSuffix: action.seriesDescriptionSuffix,
    imageTypeValue2: action.imageTypeValue2,
    keepPrivate: action.keepPrivateAttributes,
  };
}

/** @throws WRITE_UNVERIFIED if an object that was confirmed is not there (somebody deleted it meanwhile) */
async function checkComplete(
  target: DerivedTarget,
  derivedSeriesUid: string,
  slices: readonly PlannedSlice[],
): Promise<void> {
  const stored = await target.stored(derivedSeriesUid);
  const missing = slices.filter(({ derivedSopInstanceUid }) => !stored.has(derivedSopInstanceUid)).length;
  if (missing > 0) throw new DenoiseError('WRITE_UNVERIFIED', { missing, slices: slices.length });
}

async function checkUnchanged(
  source: OrthancClient,
  id: string,
  instances: readonly string[],
): Promise<void> {
  const now = new Set((await source.series(id)).Instances);
  if (now.size !== instances.length || !instances.every((instance) => now.has(instance)))
    throw new DenoiseError('SERIES_CHANGED', { before: instances.length, now: now.size });
}

/** For people and for other programs; the bridge itself goes by its own records. */
async function mark(
  job: JobRecord,
  { source, target }: SeriesRunTools,
  derivedSeriesUid: string,
  slices: number,
): Promise<void> {
  const facts = { job: job.id, model: job.model, version: job.version, digest: job.digest, slices };
  const text = JSON.stringify({ ...facts, source: job.series });
  const derived = await target.mark(derivedSeriesUid, { text });
  await source.setSeriesMetadata(job.series, denoisedAsMetadata, JSON.stringify({ ...facts, derived }));
}
