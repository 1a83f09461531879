import type { Database } from './database.ts';

export interface PendingSeries {
  readonly orthanc: string;
  readonly series: string;
  /** Events so far; {@link FeedStore.settle} does nothing if there was another since. */
  readonly marks: number;
}

/** How far the change feeds were read, and which series wait for a decision. */
export class FeedStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /**
   * @returns undefined before the first start. `ready` is false until {@link FeedStore.setReady}: what was there before
   * the bridge is not sorted out yet.
   */
  async position(orthanc: string): Promise<{ readonly seq: number; readonly ready: boolean } | undefined> {
    const [row] = await this.#database.query<{ seq: string; ready: boolean }>(
      'select seq, ready from bridge.feed where orthanc = $1',
      [orthanc],
    );
    return row && { seq: Number(row.seq), ready: row.ready };
  }

  /** Sets the cursor wherever it was: first start, or the database of Orthanc was replaced. */
  async restart(orthanc: string, seq: number): Promise<void> {
    await this.#database.query(
      `insert into bridge.feed (orthanc, seq) values ($1, $2)
       on conflict (orthanc) do update set seq = excluded.seq`,
      [orthanc, seq],
    );
  }

  async setReady(orthanc: string): Promise<void> {
    await this.#database.query('update bridge.feed set ready = true where orthanc = $1', [orthanc]);
  }

  /** Remembers the series and moves the cursor, in one statement: after a crash either both happened or none. */
  async advance(orthanc: string, seq: number, series: readonly string[]): Promise<void> {
    await this.#database.query(
      `with marked as (
         insert into bridge.pending (orthanc, series) select $1, unnest($3::text[])
         on conflict (orthanc, series) do update set marks = bridge.pending.marks + 1)
       update bridge.feed set seq = greatest(seq, $2) where orthanc = $1`,
      [orthanc, seq, [...new Set(series)]],
    );
  }

  /** One more look at a series. */
  async mark(orthanc: string, series: string): Promise<void> {
    await this.#database.query(
      `insert into bridge.pending (orthanc, series) values ($1, $2)
       on conflict (orthanc, series) do update set marks = bridge.pending.marks + 1`,
      [orthanc, series],
    );
  }

  pending(orthanc: string): Promise<PendingSeries[]> {
    return this.#database.query<PendingSeries & Record<string, unknown>>(
      'select orthanc, series, marks from bridge.pending where orthanc = $1 order by series',
      [orthanc],
    );
  }

  /** The series was decided with this many instances, or is gone (undefined). */
  async settle({ orthanc, series, marks }: PendingSeries, instances: number | undefined): Promise<void> {
    if (instances === undefined)
      await this.#database.query('delete from bridge.seen where orthanc = $1 and series = $2', [
        orthanc,
        series,
      ]);
    else
      await this.#database.query(
        `insert into bridge.seen (orthanc, series, instances) values ($1, $2, $3)
         on conflict (orthanc, series) do update set instances = excluded.instances,
           ignored = bridge.seen.ignored and bridge.seen.instances = excluded.instances`,
        [orthanc, series, instances],
      );
    await this.#database.query(
      'delete from bridge.pending where orthanc = $1 and series = $2 and marks = $3',
      [orthanc, series, marks],
    );
  }

  /** Marks the series of a list that were never decided, or with another number of instances. @returns how many */
  async reconcile(orthanc: string, series: readonly string[], instances: readonly number[]): Promise<number> {
    const rows = await this.#database.query(
      `insert into bridge.pending (orthanc, series)
       select $1, found.series from unnest($2::text[], $3::int[]) as found (series, instances)
       left join bridge.seen on seen.orthanc = $1 and seen.series = found.series
       where seen.instances is distinct from found.instances
       on conflict do nothing returning series`,
      [orthanc, series, instances],
    );
    return rows.length;
  }

  /** Takes everything listed as decided: series that were there before the bridge and are not wanted. */
  async ignore(orthanc: string, series: readonly string[], instances: readonly number[]): Promise<void> {
    await this.#database.query(
      `insert into bridge.seen (orthanc, series, instances, ignored)
       select $1, series, instances, true from unnest($2::text[], $3::int[]) as found (series, instances)
       on conflict do nothing`,
      [orthanc, series, instances],
    );
  }

  /** Whether a series was there before the bridge, with as many instances: its StableSeries may come late. */
  async isIgnored(orthanc: string, series: string, instances: number): Promise<boolean> {
    const rows = await this.#database.query(
      'select 1 from bridge.seen where orthanc = $1 and series = $2 and instances = $3 and ignored',
      [orthanc, series, instances],
    );
    return rows.length > 0;
  }
}
