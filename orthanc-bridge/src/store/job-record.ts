import type { ErrorCode } from '@cipherdose/sdk/errors';
import type { RuleAction } from '../rules/rule-schema.ts';

/**
 * queued: waits for a worker, also between attempts · running · done: complete and verified · quarantined: cannot be
 * denoised, nothing of it was written · failed: gave up after too many attempts, nothing of it is left.
 */
export type JobState = 'queued' | 'running' | 'done' | 'quarantined' | 'failed';

/** An instance that is no slice to denoise, with the reason. */
export interface LeftOut {
  /** Orthanc's id. */
  readonly instance: string;
  readonly reason: string;
}

/** One source series and one model version: at most one exists, and it makes one derived series. */
export interface JobRecord {
  /** Made from Orthanc, series, model and version; harmless to show. */
  readonly id: string;
  readonly orthanc: string;
  /** Orthanc's ids of the source series and its study. */
  readonly series: string;
  readonly study: string;
  readonly model: string;
  readonly version: string;
  readonly digest: string;
  readonly rule: string;
  readonly action: RuleAction;
  readonly derivedSeriesUid: string | undefined;
  readonly state: JobState;
  /** Instances of the source when it was decided. */
  readonly instances: number;
  /** Slices to denoise, once known. */
  readonly slices: number | undefined;
  readonly written: number;
  readonly leftOut: readonly LeftOut[];
  /** The one timestamp of all derived objects: reruns give the same bytes. */
  readonly derivedOn: Date;
  readonly queuedOn: Date;
  readonly startedOn: Date | undefined;
  readonly finishedOn: Date | undefined;
  /** Failed attempts that were no outage. */
  readonly attempts: number;
  /** How often it was started. */
  readonly runs: number;
  readonly worker: string | undefined;
  readonly errorCode: ErrorCode | undefined;
  readonly errorDetails: Readonly<Record<string, unknown>> | undefined;
  readonly bytesUp: number;
  readonly bytesDown: number;
}
