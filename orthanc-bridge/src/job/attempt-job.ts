import type { DenoiseClient } from '@cipherdose/sdk';
import { DenoiseError } from '@cipherdose/sdk/errors';
import type { AuditTrail } from '../audit/audit-trail.ts';
import type { BridgeConfig } from '../config/config-schema.ts';
import { freeMegabytes } from '../disk-space.ts';
import type { BridgeEvents } from '../events.ts';
import { errorFacts, type Log } from '../log.ts';
import type { OrthancClient } from '../orthanc/orthanc-client.ts';
import type { SliceReader } from '../pixels/slice-reader.ts';
import type { AttemptOutcome } from '../queue/series-queue.ts';
import type { FeedStore } from '../store/feed-store.ts';
import type { JobRecord } from '../store/job-record.ts';
import type { JobStore } from '../store/job-store.ts';
import type { DerivedTarget } from '../target/derived-target.ts';
import type { ModelVersions } from '../watch/model-versions.ts';
import { failureKind } from './failure-kind.ts';
import { runSeries } from './run-series.ts';

export interface AttemptTools {
  readonly config: BridgeConfig;
  readonly orthancs: ReadonlyMap<string, OrthancClient>;
  /** Where derived series can be written, by name; all Orthancs are among them. */
  readonly targets: ReadonlyMap<string, DerivedTarget>;
  readonly client: DenoiseClient;
  readonly reader: SliceReader;
  readonly jobs: JobStore;
  readonly feed: FeedStore;
  readonly models: ModelVersions;
  readonly audit: AuditTrail;
  readonly events: BridgeEvents;
  readonly log: Log;
  readonly softwareVersion: string;
}

/** One attempt at a job, from its record to its record. Never throws: a broken queue database means `retry`. */
export async function attemptJob(
  id: string,
  tools: AttemptTools,
  signal: AbortSignal,
): Promise<AttemptOutcome> {
  const { jobs, log } = tools;
  try {
    const record = await jobs.get(id);
    if (record.state === 'done') return 'completed';
    if (record.state === 'quarantined' || record.state === 'failed') return 'dead';
    const job = await jobs.start(id, tools.config.name);
    tools.events.emit('job', job);
    log.info({ job: id, rule: job.rule, run: job.runs }, 'series started');
    const sent = { bytesUp: 0, bytesDown: 0 };
    try {
      return await complete(job, tools, sent, signal);
    } catch (error) {
      await recordBytes(job, sent, tools);
      return await settleFailure(job, DenoiseError.wrap(error, 'INTERNAL'), tools, signal);
    }
  } catch (error) {
    if (error instanceof DenoiseError && error.code === 'JOB_UNKNOWN') return 'completed';
    log.error({ job: id, ...errorFacts(error) }, 'attempt not recorded');
    return 'retry';
  }
}

/** Ciphertext bytes that an attempt exchanged with the host, whatever became of it. */
interface SentBytes {
  bytesUp: number;
  bytesDown: number;
}

async function complete(
  job: JobRecord,
  tools: AttemptTools,
  sent: SentBytes,
  signal: AbortSignal,
): Promise<AttemptOutcome> {
  const { config, jobs, audit, events, log } = tools;
  await checkDisk(config);
  const source = named(job.orthanc, tools.orthancs);
  const target = named(job.action.writeTo ?? job.orthanc, tools.targets);
  const totals = await runSeries(
    job,
    {
      ...{ source, target, client: tools.client, reader: tools.reader, jobs },
      softwareVersion: tools.softwareVersion,
      slicesInFlight: config.host.slicesInFlight,
      mostSlices: config.limits.slices,
      onProgress: (progress) => {
        Object.assign(sent, { bytesUp: progress.bytesUp, bytesDown: progress.bytesDown });
        events.emit('progress', job.id, progress);
      },
    },
    signal,
  );
  const { slices, bytesUp, bytesDown } = totals;
  // Before the record says done: an entry may come twice after a crash, but is never missing.
  await audit.append({ event: 'written', who: config.name, ...jobFacts(job), slices, bytesUp, bytesDown });
  const finished = await jobs.finish(job.id, bytesUp, bytesDown);
  events.emit('job', finished);
  if (finished.state !== 'done') return 'retry';
  log.info({ job: job.id, ...totals }, 'series done');
  return 'completed';
}

/** An attempt that failed has sent something too. */
async function recordBytes(job: JobRecord, sent: SentBytes, tools: AttemptTools): Promise<void> {
  if (sent.bytesUp === 0) return;
  await tools.audit.append({ event: 'interrupted', who: tools.config.name, ...jobFacts(job), ...sent });
  await tools.jobs.addBytes(job.id, sent.bytesUp, sent.bytesDown);
}

async function settleFailure(
  job: JobRecord,
  error: DenoiseError,
  tools: AttemptTools,
  signal: AbortSignal,
): Promise<AttemptOutcome> {
  const { config, jobs, audit, events, log } = tools;
  const kind = signal.aborted ? 'outage' : failureKind(error.code);
  const last = kind === 'failure' && job.attempts + 1 >= config.queue.attempts;
  if (kind === 'outage' || (kind === 'failure' && !last)) {
    events.emit('job', await jobs.defer(job.id, error, kind === 'failure'));
    log.warn({ job: job.id, kind, ...errorFacts(error) }, 'attempt failed, will be repeated');
    return 'retry';
  }
  try {
    const { derivedSeriesUid } = await jobs.get(job.id);
    const target = named(job.action.writeTo ?? job.orthanc, tools.targets);
    if (derivedSeriesUid !== undefined) await target.remove(derivedSeriesUid);
    await jobs.forgetWritten(job.id);
  } catch (cleanupError) {
    // The job must not end while half a series may stand there: it comes back and gets here again.
    events.emit('job', await jobs.defer(job.id, error, false));
    log.warn(
      { job: job.id, ...errorFacts(cleanupError) },
      'cannot remove what was written, will be repeated',
    );
    return 'retry';
  }
  const state = kind === 'quarantine' ? 'quarantined' : 'failed';
  await audit.append({ event: state, who: config.name, ...jobFacts(job), code: error.code });
  const ended = await jobs.giveUp(job.id, state, error);
  events.emit('job', ended);
  if (ended.state !== state) return 'retry';
  log.error({ job: job.id, state, ...errorFacts(error) }, 'series given up');
  if (error.code === 'PLAN_DIGEST') {
    // The host has another version of the model by now: the series is decided anew, for that one.
    tools.models.forget(job.model);
    await tools.feed.mark(job.orthanc, job.series);
  }
  return 'dead';
}

/** @throws CONFIG_INVALID if the configuration no longer has it */
function named<T>(name: string, peers: ReadonlyMap<string, T>): T {
  const peer = peers.get(name);
  if (!peer)
    throw new DenoiseError('CONFIG_INVALID', { field: 'orthancs', reason: `has no ${name} any more` });
  return peer;
}

export const jobFacts = ({ id, orthanc, series, rule, model, version, digest, action }: JobRecord) => ({
  ...{ job: id, orthanc, series, rule, model, version, digest },
  ...(action.mode === undefined ? {} : { mode: action.mode }),
});

/** @throws DISK_WATERMARK */
export async function checkDisk({ dataFolder, limits }: BridgeConfig): Promise<void> {
  const free = await freeMegabytes(dataFolder);
  if (free < limits.diskFreeMegabytes)
    throw new DenoiseError('DISK_WATERMARK', { freeMegabytes: free, wanted: limits.diskFreeMegabytes });
}
