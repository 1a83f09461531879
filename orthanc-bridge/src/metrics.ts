import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { BridgeEvents } from './events.ts';
import type { Peers } from './peers.ts';
import type { JobStore } from './store/job-store.ts';

/** Prometheus metrics of one bridge. Labels hold names from the configuration only. */
export function createMetrics(events: BridgeEvents, jobs: JobStore, peers: Peers): Registry {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const counter = (name: string, help: string, labelNames: readonly string[] = []) =>
    new Counter({ name: `cipherdose_bridge_${name}`, help, labelNames: [...labelNames], registers });

  const ended = counter('series_total', 'Series that came to an end', ['state', 'rule']);
  const slices = counter('slices_total', 'Slices of series that were completed');
  const bytesUp = counter('bytes_up_total', 'Ciphertext bytes sent to the host');
  const bytesDown = counter('bytes_down_total', 'Ciphertext bytes received from the host');
  const skipped = counter('series_skipped_total', 'Series that no rule takes', ['orthanc']);
  const seconds = new Histogram({
    name: 'cipherdose_bridge_series_seconds',
    help: 'Time from the start of the last attempt to the verified series',
    buckets: [1, 5, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200],
    registers,
  });
  new Gauge({
    name: 'cipherdose_bridge_jobs',
    help: 'Jobs on record',
    labelNames: ['state'],
    registers,
    async collect() {
      const counts = await jobs.counts();
      for (const [state, count] of Object.entries(counts)) this.set({ state }, count);
    },
  });
  new Gauge({
    name: 'cipherdose_bridge_peer_up',
    help: 'Whether an Orthanc, the host or the queue answered last time',
    labelNames: ['peer'],
    registers,
    collect() {
      for (const [peer, reachable] of peers.all()) this.set({ peer }, reachable ? 1 : 0);
    },
  });

  // Also of attempts that fail. A run counts from zero, so fewer bytes than before are those of a new run.
  const sent = new Map<string, { readonly bytesUp: number; readonly bytesDown: number }>();
  events.on('progress', (job, progress) => {
    const before = sent.get(job);
    const last = before && before.bytesUp <= progress.bytesUp ? before : { bytesUp: 0, bytesDown: 0 };
    bytesUp.inc(progress.bytesUp - last.bytesUp);
    bytesDown.inc(Math.max(0, progress.bytesDown - last.bytesDown));
    sent.set(job, progress);
  });
  events.on('job', ({ id, state }) => state !== 'running' && sent.delete(id));
  events.on('skipped', (orthanc) => skipped.inc({ orthanc }));
  events.on('job', (job) => {
    if (job.finishedOn === undefined || job.state === 'queued' || job.state === 'running') return;
    ended.inc({ state: job.state, rule: job.rule });
    if (job.state !== 'done') return;
    slices.inc(job.slices ?? 0);
    if (job.startedOn)
      seconds.observe(Math.max(0, job.finishedOn.getTime() - job.startedOn.getTime()) / 1000);
  });
  return registry;
}
