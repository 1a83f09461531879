import { setTimeout as wait } from 'node:timers/promises';
import type { SeriesProgress } from '../job/run-series.ts';
import type { BridgeEvents } from '../events.ts';
import type { JobRecord } from '../store/job-record.ts';
import { viewJob, viewProgress, type LiveMessage } from './views.ts';

/** Shortest time between two batches: progress comes for every layer of every slice. */
const batchMs = 300;

/**
 * Follows a bridge. A reader that is slow gets the newest state of each job and peer only, so nothing piles up.
 * Ends with the signal.
 */
export async function* liveMessages(events: BridgeEvents, signal: AbortSignal): AsyncGenerator<LiveMessage> {
  const news = new Map<string, LiveMessage>();
  let wake: () => void = () => undefined;
  const tell = (key: string, message: LiveMessage): void => {
    news.delete(key);
    news.set(key, message);
    wake();
  };
  const onJob = (job: JobRecord): void => {
    if (job.state !== 'running') news.delete(`progress ${job.id}`);
    tell(`job ${job.id}`, { event: 'job', data: viewJob(job) });
  };
  const onProgress = (id: string, progress: SeriesProgress): void =>
    tell(`progress ${id}`, { event: 'progress', data: { id, ...viewProgress(progress) } });
  const onPeer = (name: string, reachable: boolean): void =>
    tell(`peer ${name}`, { event: 'peer', data: { name, reachable } });
  const onPaused = (paused: boolean): void => tell('paused', { event: 'paused', data: { paused } });
  const onAbort = (): void => wake();

  events.on('job', onJob).on('progress', onProgress).on('peer', onPeer).on('paused', onPaused);
  signal.addEventListener('abort', onAbort);
  try {
    while (!signal.aborted) {
      if (news.size === 0) await new Promise<void>((resolve) => (wake = resolve));
      const batch = [...news.values()];
      news.clear();
      yield* batch;
      await wait(batchMs, undefined, { signal }).catch(() => undefined);
    }
  } finally {
    events.off('job', onJob).off('progress', onProgress).off('peer', onPeer).off('paused', onPaused);
    signal.removeEventListener('abort', onAbort);
  }
}
