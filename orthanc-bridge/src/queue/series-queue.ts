import { PgBoss, type Job, type JobResult } from 'pg-boss';
import { DenoiseError } from '@cipherdose/sdk/errors';
import type { BridgeConfig } from '../config/config-schema.ts';
import type { Database } from '../store/database.ts';

const queueName = 'series';
const deadName = 'series-dead';

/** Longest that one attempt may take, seconds; pg-boss allows less than a day. */
const longestAttempt = 86_000;
/** Attempts that pg-boss makes; how many count is decided by the bridge, since outages are waited out. */
const endless = 1_000_000;

/** What one attempt came to. `retry`: pg-boss comes back to it with backoff. */
export type AttemptOutcome = 'completed' | 'retry' | 'dead';

export type AttemptHandler = (jobId: string, signal: AbortSignal) => Promise<AttemptOutcome>;

export interface QueueCounts {
  readonly queued: number;
  readonly active: number;
  readonly dead: number;
}

/**
 * pg-boss, with one entry at most for each job id: queued, between attempts, or active. Nothing is stored here but ids;
 * if an entry were lost, sending the id again brings it back.
 */
export class SeriesQueue {
  readonly #boss: PgBoss;
  readonly #database: Database;
  readonly #settings: BridgeConfig['queue'];
  readonly #stopping = new AbortController();
  #handler: AttemptHandler | undefined;
  #working = false;
  readonly #workers: string[] = [];

  private constructor(boss: PgBoss, database: Database, settings: BridgeConfig['queue']) {
    this.#boss = boss;
    this.#database = database;
    this.#settings = settings;
  }

  /** @throws QUEUE_UNAVAILABLE */
  static async open(
    database: Database,
    settings: BridgeConfig['queue'],
    onError: (error: Error) => void,
  ): Promise<SeriesQueue> {
    const boss = new PgBoss({
      db: database.boss,
      backend: database.kind === 'embedded' ? 'pglite' : 'postgres',
      schedule: false,
      superviseIntervalSeconds: 10,
      monitorIntervalSeconds: 10,
    });
    boss.on('error', onError);
    try {
      // Bridges that start at once on an empty server get in each other's way.
      await boss.start({ attempts: 4 });
      const options = {
        retryLimit: endless,
        retryDelay: settings.retryFirstSeconds,
        retryBackoff: true,
        retryDelayMax: settings.retryLongestSeconds,
        heartbeatSeconds: settings.heartbeatSeconds,
        expireInSeconds: longestAttempt,
      };
      await boss.createQueue(deadName);
      await boss.createQueue(queueName, { policy: 'exclusive', deadLetter: deadName, ...options });
      await boss.updateQueue(queueName, options);
    } catch (cause) {
      await boss.stop({ graceful: false }).catch(() => undefined);
      throw new DenoiseError('QUEUE_UNAVAILABLE', { reason: 'pg-boss does not start' }, { cause });
    }
    return new SeriesQueue(boss, database, settings);
  }

  /** Puts the job in unless it is there. @returns whether it was new. */
  async send(jobId: string, priority: number): Promise<boolean> {
    return (await this.#boss.send(queueName, { job: jobId }, { singletonKey: jobId, priority })) !== null;
  }

  /** @returns the ids of these jobs that have no entry. */
  async missing(jobIds: readonly string[]): Promise<Set<string>> {
    const rows = await this.#database.query<{ id: string }>(
      `select wanted.id from unnest($2::text[]) as wanted (id)
       where not exists (select 1 from pgboss.job where name = $1 and singleton_key = wanted.id and state < 'completed')`,
      [queueName, jobIds],
    );
    return new Set(rows.map(({ id }) => id));
  }

  /** Takes the entry out, whoever holds it: its owner is known to be gone. */
  async drop(jobId: string): Promise<void> {
    await this.#delete(queueName, jobId);
    await this.dropDead(jobId);
  }

  /** Takes the entry out of the dead letters: the job is taken up again. */
  dropDead(jobId: string): Promise<void> {
    return this.#delete(deadName, jobId);
  }

  async #delete(queue: string, jobId: string): Promise<void> {
    const jobs = await this.#boss.findJobs<{ job: string }>(queue, { key: jobId });
    const ids = jobs.map(({ id }) => id);
    if (ids.length > 0) await this.#boss.deleteJob(queue, ids);
  }

  /** Takes out what is marked as being worked on: nobody can be, in a queue that only this process has open. */
  async dropActive(): Promise<void> {
    await this.#database.query(`delete from pgboss.job where name = $1 and state = 'active'`, [queueName]);
  }

  /**
   * Times set before the clock went back lie in the future; they are moved to now, so that neither a wait nor the
   * heartbeat of a worker that is gone lasts until the clock has caught up. Uses the database's clock, which is the one
   * that pg-boss compares with.
   * @returns how many entries moved
   */
  async forgetFutureTimes(longestWaitSeconds: number): Promise<number> {
    await this.#database.query(
      `update pgboss.job set heartbeat_on = now(), started_on = least(started_on, now())
       where name = $1 and state = 'active' and heartbeat_on > now() + interval '1 minute'`,
      [queueName],
    );
    const moved = await this.#database.query(
      `update pgboss.job set start_after = now()
       where name = $1 and state in ('created', 'retry') and start_after > now() + make_interval(secs => $2)
       returning id`,
      [queueName, longestWaitSeconds],
    );
    return moved.length;
  }

  /** Starts workers. `handler` must not throw; if it does, the attempt is repeated. */
  async work(handler: AttemptHandler): Promise<void> {
    this.#handler = handler;
    if (this.#working || this.#stopping.signal.aborted) return;
    this.#working = true;
    const options = { pollingIntervalSeconds: this.#settings.pollSeconds, perJobResults: true } as const;
    // Workers of their own, not localConcurrency: only so can all of them be woken.
    for (let worker = 0; worker < this.#settings.concurrency; worker++)
      this.#workers.push(
        await this.#boss.work<{ job: string }>(queueName, options, (jobs) => this.#attempt(jobs)),
      );
  }

  async #attempt(jobs: readonly Job<{ job: string }>[]): Promise<JobResult[]> {
    const results: JobResult[] = [];
    for (const { id, data, signal } of jobs) {
      const both = AbortSignal.any([signal, this.#stopping.signal]);
      const outcome = (await this.#handler?.(data.job, both)) ?? 'retry';
      const status = { completed: 'completed', retry: 'failed', dead: 'deadletter' } as const;
      results.push({ id, status: status[outcome] });
    }
    return results;
  }

  /**
   * Makes workers look at once. pg-boss reckons how long a worker waits by the wall clock: when the clock was set back
   * while it fetched or worked, it would wait until the clock has caught up.
   */
  wake(): void {
    for (const worker of this.#workers) this.#boss.notifyWorker(worker);
  }

  /** Lets running jobs finish and starts no other. */
  async pause(): Promise<void> {
    if (!this.#working) return;
    this.#working = false;
    this.#workers.length = 0;
    await this.#boss.offWork(queueName, { wait: false });
  }

  async counts(): Promise<QueueCounts> {
    const rows = await this.#database.query<{ name: string; state: string; jobs: number }>(
      `select name, state::text, count(*)::int as jobs from pgboss.job
       where name = any($1::text[]) and state < 'completed' group by name, state`,
      [[queueName, deadName]],
    );
    const count = (name: string, states: readonly string[]): number =>
      rows.reduce((sum, row) => sum + (row.name === name && states.includes(row.state) ? row.jobs : 0), 0);
    return {
      queued: count(queueName, ['created', 'retry']),
      active: count(queueName, ['active']),
      dead: count(deadName, ['created', 'retry']),
    };
  }

  /** Interrupts running jobs, which go back to the queue, and stops. */
  async close(): Promise<void> {
    this.#stopping.abort();
    await this.#boss.stop({ graceful: true, timeout: 20_000 });
  }
}
