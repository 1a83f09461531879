import type { BridgeConfig } from './config/config-schema.ts';
import type { Log } from './log.ts';
import type { SeriesQueue } from './queue/series-queue.ts';
import type { Database } from './store/database.ts';
import type { JobStore } from './store/job-store.ts';

interface HousekeepingTools {
  readonly config: BridgeConfig;
  readonly database: Database;
  readonly jobs: JobStore;
  readonly queue: SeriesQueue;
  readonly log: Log;
}

/** Keeps the job records, which are the truth, and the entries of the queue together. */
export class Housekeeping {
  readonly #tools: HousekeepingTools;

  constructor(tools: HousekeepingTools) {
    this.#tools = tools;
  }

  /**
   * After a start: what this bridge had under way when it was killed goes back to the queue. On a server, jobs of other
   * bridges are theirs until their heartbeat stops; an embedded queue has no others.
   */
  async recover(): Promise<void> {
    const { config, database, jobs, queue, log } = this.#tools;
    if (database.kind === 'embedded') await queue.dropActive();
    const released = await jobs.release(config.name);
    for (const { id } of released) await queue.drop(id);
    if (released.length > 0) log.info({ jobs: released.length }, 'jobs of the last run go on');
    await this.sweep();
  }

  /** Sends every unfinished job that has no entry in the queue: a crash came between the record and the entry. */
  async sweep(): Promise<void> {
    const { config, jobs, queue, log } = this.#tools;
    const unfinished = await jobs.unfinished();
    const missing = await queue.missing(unfinished.map(({ id }) => id));
    for (const { id, priority } of unfinished) if (missing.has(id)) await queue.send(id, priority);
    // No wait is longer than the longest backoff: what lies further ahead was set before the clock went back.
    const moved = await queue.forgetFutureTimes(config.queue.retryLongestSeconds);
    if (moved > 0) log.warn({ jobs: moved }, 'the clock went back; waiting jobs moved to now');
    queue.wake();
    const { finishedDays, failedDays } = config.retention;
    if (finishedDays > 0) await jobs.forget(['done'], finishedDays);
    if (failedDays > 0) await jobs.forget(['failed', 'quarantined'], failedDays);
  }
}
