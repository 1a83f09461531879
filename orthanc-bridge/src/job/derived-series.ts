import { derivedUids } from '@cipherdose/sdk/dicom';
import type { OrthancClient } from '../orthanc/orthanc-client.ts';
import type { JobRecord } from '../store/job-record.ts';
import type { Survey, SurveyedSlice } from './survey-series.ts';

/** A slice and the object that will be made of it. */
export interface PlannedSlice extends SurveyedSlice {
  readonly derivedSopInstanceUid: string;
}

export interface DerivedPlan {
  readonly derivedSeriesUid: string;
  readonly slices: readonly PlannedSlice[];
}

/** UIDs depend on the source, the model and the strength only, so every run plans the same objects. */
export function planDerived({ seriesInstanceUid, slices }: Survey, job: JobRecord): DerivedPlan {
  const uids = (sopInstanceUid: string) => uidsOf(job, { sopInstanceUid, seriesInstanceUid });
  return {
    derivedSeriesUid: uids('').seriesInstanceUid,
    slices: slices.map((slice) => ({
      ...slice,
      derivedSopInstanceUid: uids(slice.sopInstanceUid).sopInstanceUid,
    })),
  };
}

/** The UIDs of what a job makes of a slice. */
export const uidsOf = (job: JobRecord, source: Parameters<typeof derivedUids>[0]) =>
  derivedUids(source, { id: job.model, version: job.version }, strengthPercent(job));

/** The share of the denoised image that the rule asks for, whole percent. */
export const strengthPercent = ({ action }: JobRecord): number => Math.round(100 * action.strength);

/** @returns the derived objects that stand in the target with the MD5 that was confirmed when they were written. */
export async function verifiedInstances(
  target: OrthancClient,
  derivedSeriesUid: string,
  written: ReadonlyMap<string, string>,
): Promise<Set<string>> {
  const verified = new Set<string>();
  if (written.size === 0) return verified;
  for (const { id, sopInstanceUid } of await storedInstances(target, derivedSeriesUid)) {
    const md5 = written.get(sopInstanceUid);
    if (md5 !== undefined && (await target.instanceMd5(id)) === md5) verified.add(sopInstanceUid);
  }
  return verified;
}

/** Everything in the derived series, verified or not. */
export async function storedInstances(
  target: OrthancClient,
  derivedSeriesUid: string,
): Promise<readonly { readonly id: string; readonly sopInstanceUid: string }[]> {
  const [series] = await target.lookup(derivedSeriesUid, 'Series');
  return series === undefined ? [] : target.seriesInstances(series);
}

/** Removes whatever was written: a series is never left half. */
export async function removeDerived(
  target: OrthancClient,
  derivedSeriesUid: string | undefined,
): Promise<void> {
  if (derivedSeriesUid === undefined) return;
  for (const series of await target.lookup(derivedSeriesUid, 'Series')) await target.remove('series', series);
}
