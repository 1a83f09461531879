import { z } from 'zod';
import { errorTable } from '@cipherdose/sdk/errors';
import { modeDisclosure, modeSchema } from '@cipherdose/sdk/protocol';
import type { SeriesProgress } from '../job/run-series.ts';
import { ruleSchema } from '../rules/rule-schema.ts';
import type { JobRecord } from '../store/job-record.ts';
import { adviceFor } from './failure-advice.ts';

/** What the page is told. No patient data and no DICOM UIDs in any of it, but for {@link patientSchema}. */

const time = z.iso.datetime();
const count = z.int().min(0);

export const jobStateSchema = z.enum(['queued', 'running', 'done', 'quarantined', 'failed']);

export const progressSchema = z.object({
  slicesDone: count,
  slices: count,
  secondsLeft: z.number().optional(),
  bytesUp: count,
  bytesDown: count,
});
export type ProgressView = z.infer<typeof progressSchema>;

const failureSchema = z.object({
  code: z.string(),
  /** What happened, in words. */
  message: z.string(),
  advice: z.string(),
  details: z.array(z.object({ name: z.string(), value: z.string() })),
});

export const jobSchema = z.object({
  id: z.string(),
  orthanc: z.string(),
  /** Orthanc's id of the source series. */
  series: z.string(),
  writeTo: z.string(),
  rule: z.string(),
  model: z.string(),
  version: z.string(),
  mode: z.string().optional(),
  /** What each side learns in this mode. */
  learns: z.string().optional(),
  strength: z.number(),
  priority: z.int(),
  state: jobStateSchema,
  instances: count,
  slices: count.optional(),
  written: count,
  leftOut: z.array(z.object({ reason: z.string(), instances: count })),
  queuedOn: time,
  startedOn: time.optional(),
  finishedOn: time.optional(),
  attempts: count,
  runs: count,
  /** Bridge that works on it. */
  worker: z.string().optional(),
  /** Why it failed, or why it waits. */
  failure: failureSchema.optional(),
  bytesUp: count,
  bytesDown: count,
  progress: progressSchema.optional(),
});
export type JobView = z.infer<typeof jobSchema>;

export function viewJob(job: JobRecord, progress?: SeriesProgress): JobView {
  const { id, orthanc, series, rule, model, version, action, state, instances, slices, written } = job;
  const { attempts, runs, worker, bytesUp, bytesDown, errorCode, errorDetails } = job;
  const reasons = Map.groupBy(job.leftOut, ({ reason }) => reason);
  return {
    ...{ id, orthanc, series, rule, model, version, state, instances, slices, written },
    ...{ attempts, runs, worker, bytesUp, bytesDown },
    writeTo: action.writeTo ?? orthanc,
    mode: action.mode,
    learns: action.mode && modeDisclosure[action.mode],
    strength: action.strength,
    priority: action.priority,
    leftOut: [...reasons].map(([reason, left]) => ({ reason, instances: left.length })),
    queuedOn: job.queuedOn.toISOString(),
    startedOn: job.startedOn?.toISOString(),
    finishedOn: job.finishedOn?.toISOString(),
    failure: errorCode && {
      code: errorCode,
      message: errorTable[errorCode].message,
      advice: adviceFor(errorCode),
      details: Object.entries(errorDetails ?? {}).map(([name, value]) => ({ name, value: String(value) })),
    },
    progress: progress && viewProgress(progress),
  };
}

export const viewProgress = (progress: SeriesProgress): ProgressView => ({ ...progress });

export const overviewSchema = z.object({
  bridge: z.string(),
  version: z.string(),
  user: z.string(),
  paused: z.boolean(),
  /** `orthanc:NAME`, `host`, `queue`. */
  peers: z.array(z.object({ name: z.string(), reachable: z.boolean() })),
  counts: z.record(jobStateSchema, count),
  disk: z.object({ freeMegabytes: count, watermarkMegabytes: count }),
  shows: z.object({ patientNames: z.boolean(), images: z.boolean() }),
  /** Orthancs that have a viewer. */
  viewers: z.array(z.string()),
  orthancs: z.array(z.string()),
  jobs: z.array(jobSchema),
});
export type Overview = z.infer<typeof overviewSchema>;

export const jobListSchema = z.object({ jobs: z.array(jobSchema) });

export const historySchema = z.object({
  bucketMinutes: z.int(),
  buckets: z.array(z.object({ start: time, series: count, slices: count, bytesUp: count, bytesDown: count })),
});
export type HistoryView = z.infer<typeof historySchema>;

export const rulesSchema = z.object({
  rules: z.array(ruleSchema),
  /** The same as they stand in a configuration. */
  text: z.string(),
  /** What each side learns, by mode. */
  learns: z.record(modeSchema, z.string()),
});
export type RulesView = z.infer<typeof rulesSchema>;

export const trialSchema = z.object({
  results: z.array(
    z.object({
      orthanc: z.string(),
      series: z.string(),
      instances: count,
      rule: z.string().optional(),
      refused: z.array(z.object({ rule: z.string(), reasons: z.array(z.string()) })),
    }),
  ),
  /** There are more series than were looked at. */
  more: z.boolean(),
});
export type TrialView = z.infer<typeof trialSchema>;

export const auditSchema = z.object({
  entries: z.array(
    z.object({
      number: count,
      time: z.string(),
      event: z.string(),
      who: z.string(),
      job: z.string().optional(),
      orthanc: z.string().optional(),
      series: z.string().optional(),
      rule: z.string().optional(),
      model: z.string().optional(),
      version: z.string().optional(),
      digest: z.string().optional(),
      mode: z.string().optional(),
      code: z.string().optional(),
      slices: count.optional(),
      bytesUp: count.optional(),
      bytesDown: count.optional(),
    }),
  ),
});
export type AuditView = z.infer<typeof auditSchema>;

export const patientSchema = z.object({ name: z.string() });

/** What comes over the event stream: only the newest of each kind and subject. */
export type LiveMessage =
  | { readonly event: 'job'; readonly data: JobView }
  | { readonly event: 'progress'; readonly data: ProgressView & { readonly id: string } }
  | { readonly event: 'peer'; readonly data: { readonly name: string; readonly reachable: boolean } }
  | { readonly event: 'paused'; readonly data: { readonly paused: boolean } };
