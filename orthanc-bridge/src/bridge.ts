import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Registry } from 'prom-client';
import { AuditTrail } from './audit/audit-trail.ts';
import type { BridgeConfig } from './config/config-schema.ts';
import { createControlServer } from './control/control-server.ts';
import { lockFolder } from './control/folder-lock.ts';
import { BridgeEvents } from './events.ts';
import { connectHost } from './host-client.ts';
import { attemptJob, jobFacts } from './job/attempt-job.ts';
import type { SeriesProgress } from './job/run-series.ts';
import { createLog, errorFacts, type Log } from './log.ts';
import { Loop } from './loop.ts';
import { createMetrics } from './metrics.ts';
import { OrthancClient } from './orthanc/orthanc-client.ts';
import { packageVersion } from './package-version.ts';
import { Peers } from './peers.ts';
import { Resources } from './resources.ts';
import { SliceReader } from './pixels/slice-reader.ts';
import { SeriesQueue, type QueueCounts } from './queue/series-queue.ts';
import type { Rule } from './rules/rule-schema.ts';
import type { DerivedTarget } from './target/derived-target.ts';
import { DicomwebTarget } from './target/dicomweb-target.ts';
import { OrthancTarget } from './target/orthanc-target.ts';
import { openDatabase } from './store/open-database.ts';
import { FeedStore } from './store/feed-store.ts';
import type { JobRecord, JobState } from './store/job-record.ts';
import { JobStore } from './store/job-store.ts';
import { jobHistory, longestWait, type HistoryBucket } from './store/job-history.ts';
import { createTables } from './store/schema.ts';
import { startAlerts } from './status/alerts/start-alerts.ts';
import { addHealthMetrics } from './status/health-metrics.ts';
import { startStatus } from './status/start-status.ts';
import { Housekeeping } from './housekeeping.ts';
import { ModelVersions } from './watch/model-versions.ts';
import { OrthancWatcher } from './watch/watcher.ts';

/** What a status page can read. */
export interface BridgeState {
  readonly name: string;
  readonly rules: readonly Rule[];
  readonly paused: boolean;
  /** Newest first. */
  jobs(options?: { readonly states?: readonly JobState[]; readonly limit?: number }): Promise<JobRecord[]>;
  /** @throws JOB_UNKNOWN */
  job(id: string): Promise<JobRecord>;
  counts(): Promise<Record<JobState, number>>;
  queueCounts(): Promise<QueueCounts>;
  /** Of running jobs, by id. */
  progress(): ReadonlyMap<string, SeriesProgress>;
  /** Whether `orthanc:NAME`, `host` and `queue` answered last time. */
  peers(): ReadonlyMap<string, boolean>;
  readonly metrics: Registry;
  /** What was completed in the last hours, in stretches of `bucketMinutes`. */
  history(hours: number, bucketMinutes: number): Promise<HistoryBucket[]>;
}

/** What people and programs can ask of it; `who` goes into the audit trail. */
export interface BridgeControls {
  /** Takes a job up again, whatever became of it; one that runs goes on. @throws JOB_UNKNOWN */
  replay(id: string, who: string): Promise<void>;
  /** Running series end; no other starts, until `resume`, also after a restart. */
  pause(who: string): Promise<void>;
  resume(who: string): Promise<void>;
  /** A hint that something is new in Orthanc, for webhooks; nothing depends on it. */
  nudge(): void;
}

export interface Bridge extends BridgeState, BridgeControls {
  readonly events: BridgeEvents;
  /** Address of the status page, if the configuration asks for one. */
  readonly statusUrl: string | undefined;
  /** Interrupts what runs (it goes on after the next start) and frees everything. */
  close(): Promise<void>;
}

export interface BridgeParts {
  readonly log?: Log;
  /** Wall clock, for time stamps and rules by time of day. */
  readonly now?: () => Date;
  /** Milliseconds that only grow, for waiting. */
  readonly clock?: () => number;
  /** Neither watches nor works: only for orders to the queue. */
  readonly idle?: boolean;
}

export const controlSocket = (dataFolder: string): string => join(dataFolder, 'bridge.sock');
export const auditFile = (dataFolder: string): string => join(dataFolder, 'audit.jsonl');

/**
 * Starts watching and working. Peers that are down are waited for.
 * @throws QUEUE_IN_USE, QUEUE_UNAVAILABLE, FILE_UNREADABLE, FILE_UNWRITABLE
 */
export async function startBridge(config: BridgeConfig, parts: BridgeParts = {}): Promise<Bridge> {
  const resources = new Resources();
  try {
    return await assemble(config, parts, resources);
  } catch (error) {
    await resources.close().catch(() => undefined);
    throw error;
  }
}

async function assemble(config: BridgeConfig, parts: BridgeParts, resources: Resources): Promise<Bridge> {
  const log = parts.log ?? createLog(config.logLevel, config.name);
  const now = parts.now ?? (() => new Date());
  const clock = parts.clock ?? (() => performance.now());
  await mkdir(config.dataFolder, { recursive: true, mode: 0o700 });

  const control = createControlServer({
    replay: (job) => replay(job, 'command line'),
    pause: () => pause('command line'),
    resume: () => resume('command line'),
  });
  resources.add(await lockFolder(controlSocket(config.dataFolder), control), (server) => {
    server.close();
  });
  const events = new BridgeEvents();
  const peers = new Peers(events);
  const queueFailed = (error: Error): void => {
    peers.set('queue', false);
    log.error(errorFacts(error), 'queue');
  };
  const database = resources.add(await openDatabase(config, queueFailed), (opened) => opened.close());
  await createTables(database);
  const [jobs, feed] = [new JobStore(database), new FeedStore(database)];
  const audit = resources.add(await AuditTrail.open(auditFile(config.dataFolder), now), (trail) =>
    trail.close(),
  );
  const orthancs = new Map<string, OrthancClient>();
  const targets = new Map<string, DerivedTarget>();
  for (const orthanc of config.orthancs) {
    const client = resources.add(await OrthancClient.create(orthanc), (opened) => opened.close());
    orthancs.set(orthanc.name, client);
    targets.set(orthanc.name, new OrthancTarget(client));
  }
  for (const dicomweb of config.dicomwebTargets) {
    const target = resources.add(await DicomwebTarget.create(dicomweb), (opened) => opened.close());
    targets.set(dicomweb.name, target);
  }
  const { client } = resources.add(await connectHost(config.host), (connection) => connection.close());
  const reader = resources.add(new SliceReader(), (opened) => opened.close());
  const queue = resources.add(await SeriesQueue.open(database, config.queue, queueFailed), (opened) =>
    opened.close(),
  );

  const models = new ModelVersions(client, clock);
  const progress = new Map<string, SeriesProgress>();
  events.on('progress', (job, step) => progress.set(job, step));
  events.on('job', ({ id, state }) => state !== 'running' && progress.delete(id));
  const attemptTools = {
    ...{ config, orthancs, targets, client, reader, jobs, feed, models, audit, events, log },
    softwareVersion: packageVersion,
  };
  const work = (): Promise<void> => queue.work((id, signal) => attemptJob(id, attemptTools, signal));
  let paused = (await jobs.setting<boolean>('paused')) ?? false;
  // Changes with every order, so that an older answer of the database does not undo it.
  let orders = 0;

  const housekeeping = new Housekeeping({ config, database, jobs, queue, log });
  await housekeeping.recover();
  await audit.append({ event: 'started', who: config.name });
  if (!paused && !parts.idle) await work();

  const loop = (peer: string, seconds: number, task: () => Promise<void>): Loop => {
    const run = async (): Promise<void> => {
      await task();
      peers.set(peer, true);
    };
    const created = new Loop(seconds, run, (error) => {
      peers.set(peer, false);
      log.warn({ peer, ...errorFacts(error) }, 'will be tried again');
    });
    resources.add(created, (running) => running.stop());
    if (!parts.idle) created.wake();
    return created;
  };
  const { rules } = config;
  const decision = { rules, jobs, queue, models, audit, events, feed, log, bridge: config.name, now };
  const watchLoops = [...orthancs.values()].flatMap((orthanc) => {
    const watcher = new OrthancWatcher(orthanc, config.watch, decision, clock);
    const peer = `orthanc:${orthanc.name}`;
    loop(peer, config.watch.reconcileMinutes * 60, async () => void (await watcher.reconcile()));
    return [loop(peer, config.watch.pollSeconds, () => watcher.tick())];
  });
  loop('queue', Math.max(1, config.watch.pollSeconds), async () => {
    await housekeeping.sweep();
    await followPause();
  });
  const closing = resources.add(new AbortController(), (controller) => controller.abort());
  loop('host', 30, async () => void (await client.models(closing.signal)));

  async function replay(id: string, who: string): Promise<void> {
    const { state } = await jobs.get(id);
    if (state === 'running') return;
    await queue.drop(id);
    const job = await jobs.replay(id);
    await audit.append({ event: 'replayed', who, ...jobFacts(job) });
    await queue.send(id, job.action.priority);
    events.emit('job', job);
  }

  async function pause(who: string): Promise<void> {
    orders++;
    await jobs.setSetting('paused', true);
    paused = true;
    orders++;
    await queue.pause();
    await audit.append({ event: 'paused', who });
    events.emit('paused', true);
  }

  /** Another bridge on the same database may have been told to pause or to go on. */
  async function followPause(): Promise<void> {
    const before = orders;
    const wanted = (await jobs.setting<boolean>('paused')) ?? false;
    if (wanted === paused || orders !== before) return;
    paused = wanted;
    if (paused) await queue.pause();
    else await work();
    events.emit('paused', paused);
  }

  async function resume(who: string): Promise<void> {
    orders++;
    await jobs.setSetting('paused', false);
    paused = false;
    orders++;
    if (!parts.idle) await work();
    await audit.append({ event: 'resumed', who });
    events.emit('paused', false);
  }

  const metrics = createMetrics(events, jobs, peers);
  const health = { paused: () => paused, longestWait: () => longestWait(database) };
  const watermark = { dataFolder: config.dataFolder, diskFreeMegabytes: config.limits.diskFreeMegabytes };
  const onSent = addHealthMetrics(metrics, { ...health, ...watermark });
  const running = {
    name: config.name,
    ...{ rules, events, replay, pause, resume, metrics },
    get paused() {
      return paused;
    },
    jobs: (options?: Parameters<BridgeState['jobs']>[0]) => jobs.list(options),
    job: (id: string) => jobs.get(id),
    counts: () => jobs.counts(),
    queueCounts: () => queue.counts(),
    progress: () => progress,
    peers: () => peers.all(),
    history: (hours: number, bucketMinutes: number) => jobHistory(database, hours, bucketMinutes),
    nudge: () => watchLoops.forEach((watchLoop) => !parts.idle && watchLoop.wake()),
  };

  const closeStarted = (started: { close(): Promise<void> } | undefined) => started?.close();
  let statusUrl: string | undefined;
  if (!parts.idle) {
    const alertTools = { config, events, log, now, clock, ...health, onSent, peers: peers.all() };
    resources.add(await startAlerts(alertTools), closeStarted);
    const { status } = config;
    const trail = { audit, auditFile: auditFile(config.dataFolder) };
    const page = { bridge: running, orthancs, reader, log, now, ...trail };
    const served = status && (await startStatus({ config: { ...config, status }, ...page }));
    resources.add(served, closeStarted);
    statusUrl = served?.url;
  }

  log.info(
    { orthancs: [...orthancs.keys()], rules: rules.length, queue: database.kind, statusUrl },
    'bridge started',
  );
  return Object.assign(running, {
    statusUrl,
    async close() {
      await audit.append({ event: 'stopped', who: config.name }).catch(() => undefined);
      await resources.close();
      log.info({}, 'bridge stopped');
    },
  });
}
