import { createHash } from 'node:crypto';
import { DenoiseError, isErrorCode } from '@cipherdose/sdk/errors';
import type { RuleAction } from '../rules/rule-schema.ts';
import type { Database, Row } from './database.ts';
import type { JobRecord, JobState, LeftOut } from './job-record.ts';

export interface NewJob {
  readonly orthanc: string;
  readonly series: string;
  readonly study: string;
  readonly model: string;
  readonly version: string;
  readonly digest: string;
  readonly rule: string;
  readonly action: RuleAction;
  readonly instances: number;
  /** Changes whenever instances of the source come or go: see `sourceState` of the Orthanc answers. */
  readonly sourceState: string;
}

/** What a run found in the series. */
export interface JobPlan {
  readonly instances: number;
  readonly sourceState: string;
  readonly slices: number;
  readonly derivedSeriesUid: string;
  readonly leftOut: readonly LeftOut[];
}

/** Our own record of every job, beside pg-boss's queue: what was decided, how far it is, what came of it. */
export class JobStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /**
   * Records the job, or wakes the one that is there if the series is no longer as it was then.
   * @returns the job if there is something to do, undefined if it is done already or under way.
   */
  async request(job: NewJob): Promise<JobRecord | undefined> {
    const { orthanc, series, study, model, version, digest, rule, action, instances, sourceState } = job;
    const identity = [
      jobId(job),
      orthanc,
      series,
      study,
      model,
      version,
      digest,
      rule,
      JSON.stringify(action),
    ];
    const rows = await this.#database.query(
      `insert into bridge.job (id, orthanc, series, study, model, version, digest, rule, action, state, instances,
         source_state)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'queued', $10, $11)
       on conflict (orthanc, series, model, version) do update
         set state = case when job.state = 'running' then job.state else 'queued' end,
             instances = excluded.instances, source_state = excluded.source_state, queued_on = now(),
             attempts = 0, error_code = null, error_details = null
         where job.source_state <> excluded.source_state
       returning *`,
      [...identity, instances, sourceState],
    );
    return rows[0] && toRecord(rows[0]);
  }

  /** @throws JOB_UNKNOWN */
  async get(id: string): Promise<JobRecord> {
    const [row] = await this.#database.query('select * from bridge.job where id = $1', [id]);
    if (!row) throw new DenoiseError('JOB_UNKNOWN', { job: id });
    return toRecord(row);
  }

  /** Newest first. */
  async list(
    options: { readonly states?: readonly JobState[]; readonly limit?: number } = {},
  ): Promise<JobRecord[]> {
    const { states, limit = 1000 } = options;
    const rows = await this.#database.query(
      `select * from bridge.job where $1::text[] is null or state = any($1::text[])
       order by queued_on desc, id limit $2`,
      [states ?? null, limit],
    );
    return rows.map(toRecord);
  }

  /** Jobs that are queued or running, those that wait longest first. */
  unfinished(): Promise<{ readonly id: string; readonly priority: number }[]> {
    return this.#database.query<{ id: string; priority: number }>(
      `select id, (action->>'priority')::int as priority from bridge.job where state in ('queued', 'running')
       order by queued_on`,
    );
  }

  async counts(): Promise<Record<JobState, number>> {
    const rows = await this.#database.query<{ state: JobState; jobs: number }>(
      'select state, count(*)::int as jobs from bridge.job group by state',
    );
    const none = { queued: 0, running: 0, done: 0, quarantined: 0, failed: 0 };
    return { ...none, ...Object.fromEntries(rows.map(({ state, jobs }) => [state, jobs])) };
  }

  /** Whether a series in Orthanc is one that we wrote or are writing. */
  async isDerivedSeries(seriesInstanceUid: string): Promise<boolean> {
    const rows = await this.#database.query(
      'select 1 from bridge.job where derived_series_uid = $1 limit 1',
      [seriesInstanceUid],
    );
    return rows.length > 0;
  }

  async start(id: string, worker: string): Promise<JobRecord> {
    const change = `state = 'running', worker = $2, runs = runs + 1, started_on = now(), run_state = source_state`;
    return this.#update(id, change, [worker]);
  }

  /** Before the first object is written, so that the loop guard knows the derived series. */
  async plan(id: string, plan: JobPlan): Promise<void> {
    const { instances, sourceState, slices, derivedSeriesUid, leftOut } = plan;
    const seen = `run_state = $3, source_state = case when source_state = run_state then $3 else source_state end`;
    const columns = `instances = $2, ${seen}, slices = $4, derived_series_uid = $5, left_out = $6`;
    const values = [instances, sourceState, slices, derivedSeriesUid, JSON.stringify(leftOut)];
    await this.#update(id, columns, values);
  }

  /** @returns the job, done; queued if its source was decided anew since the run looked at it. */
  async finish(id: string, bytesUp: number, bytesDown: number): Promise<JobRecord> {
    const ended = `finished_on = now(), worker = null, error_code = null, error_details = null`;
    const bytes = `bytes_up = bytes_up + $2, bytes_down = bytes_down + $3`;
    return this.#update(id, `state = ${unlessDecidedAnew("'done'")}, ${ended}, ${bytes}`, [
      bytesUp,
      bytesDown,
    ]);
  }

  /** What an attempt that did not finish exchanged with the host. */
  async addBytes(id: string, bytesUp: number, bytesDown: number): Promise<void> {
    const bytes = `bytes_up = bytes_up + $2, bytes_down = bytes_down + $3`;
    await this.#update(id, bytes, [bytesUp, bytesDown]);
  }

  /** Back to the queue after a failed attempt, or because the series changed. */
  async defer(id: string, error: DenoiseError, countAttempt: boolean): Promise<JobRecord> {
    const change = `state = 'queued', worker = null, attempts = attempts + $4, error_code = $2, error_details = $3`;
    return this.#update(id, change, [...errorColumns(error), countAttempt ? 1 : 0]);
  }

  /** @returns the job, given up; queued if its source was decided anew since the run looked at it. */
  async giveUp(id: string, state: 'quarantined' | 'failed', error: DenoiseError): Promise<JobRecord> {
    const change = `state = ${unlessDecidedAnew('$4')}, worker = null, finished_on = now(), written = 0`;
    const why = `error_code = $2, error_details = $3`;
    return this.#update(id, `${change}, ${why}`, [...errorColumns(error), state]);
  }

  /** Starts again from nothing known but what is written. @throws JOB_UNKNOWN */
  async replay(id: string): Promise<JobRecord> {
    const fresh = `attempts = 0, error_code = null, error_details = null, queued_on = now(), finished_on = null`;
    return this.#update(id, `state = 'queued', worker = null, ${fresh}`, []);
  }

  /** Jobs that a process of this name was running when it ended: they go on. */
  async release(worker: string): Promise<JobRecord[]> {
    const rows = await this.#database.query(
      `update bridge.job set state = 'queued', worker = null where worker = $1 and state = 'running' returning *`,
      [worker],
    );
    return rows.map(toRecord);
  }

  async recordWritten(id: string, sopInstanceUid: string, md5: string): Promise<void> {
    await this.#database.query(
      `with added as (
         insert into bridge.written (job, sop_instance_uid, md5) values ($1, $2, $3)
         on conflict (job, sop_instance_uid) do update set md5 = excluded.md5)
       update bridge.job set written =
         (select count(*) from bridge.written where job = $1 and sop_instance_uid <> $2) + 1 where id = $1`,
      [id, sopInstanceUid, md5],
    );
  }

  /** @returns MD5 by SOP Instance UID of the derived object. */
  async written(id: string): Promise<Map<string, string>> {
    const rows = await this.#database.query<{ sop_instance_uid: string; md5: string }>(
      'select sop_instance_uid, md5 from bridge.written where job = $1',
      [id],
    );
    return new Map(rows.map((row) => [row.sop_instance_uid, row.md5]));
  }

  async forgetWritten(id: string): Promise<void> {
    await this.#database.query('delete from bridge.written where job = $1', [id]);
  }

  /** Forgets jobs that ended long ago; their source series stay decided, so nothing starts again. @returns how many */
  async forget(states: readonly JobState[], days: number): Promise<number> {
    const rows = await this.#database.query(
      `delete from bridge.job where state = any($1::text[]) and finished_on < now() - make_interval(days => $2)
       returning id`,
      [states, days],
    );
    return rows.length;
  }

  async setting<T>(name: string): Promise<T | undefined> {
    const [row] = await this.#database.query<{ value: T }>(
      'select value from bridge.setting where name = $1',
      [name],
    );
    return row?.value;
  }

  async setSetting(name: string, value: unknown): Promise<void> {
    await this.#database.query(
      `insert into bridge.setting (name, value) values ($1, $2)
       on conflict (name) do update set value = excluded.value`,
      [name, JSON.stringify(value)],
    );
  }

  async #update(id: string, change: string, values: readonly unknown[]): Promise<JobRecord> {
    const [row] = await this.#database.query(`update bridge.job set ${change} where id = $1 returning *`, [
      id,
      ...values,
    ]);
    if (!row) throw new DenoiseError('JOB_UNKNOWN', { job: id });
    return toRecord(row);
  }
}

const unlessDecidedAnew = (state: string): string =>
  `case when source_state is distinct from run_state then 'queued' else ${state} end`;

const errorColumns = (error: DenoiseError): [string, string] => [error.code, JSON.stringify(error.details)];

/** 16 hexadecimal digits that only depend on what the job is about. */
export function jobId({
  orthanc,
  series,
  model,
  version,
}: Pick<NewJob, 'orthanc' | 'series' | 'model' | 'version'>) {
  return createHash('sha256').update([orthanc, series, model, version].join('\0')).digest('hex').slice(0, 16);
}

function toRecord(row: Row): JobRecord {
  const code = row['error_code'];
  return {
    id: row['id'] as string,
    orthanc: row['orthanc'] as string,
    series: row['series'] as string,
    study: row['study'] as string,
    model: row['model'] as string,
    version: row['version'] as string,
    digest: row['digest'] as string,
    rule: row['rule'] as string,
    action: row['action'] as RuleAction,
    derivedSeriesUid: (row['derived_series_uid'] as string | null) ?? undefined,
    state: row['state'] as JobState,
    instances: row['instances'] as number,
    slices: (row['slices'] as number | null) ?? undefined,
    written: row['written'] as number,
    leftOut: row['left_out'] as LeftOut[],
    derivedOn: row['derived_on'] as Date,
    queuedOn: row['queued_on'] as Date,
    startedOn: (row['started_on'] as Date | null) ?? undefined,
    finishedOn: (row['finished_on'] as Date | null) ?? undefined,
    attempts: row['attempts'] as number,
    runs: row['runs'] as number,
    worker: (row['worker'] as string | null) ?? undefined,
    errorCode: isErrorCode(code) ? code : undefined,
    errorDetails: (row['error_details'] as Record<string, unknown> | null) ?? undefined,
    bytesUp: Number(row['bytes_up']),
    bytesDown: Number(row['bytes_down']),
  };
}
