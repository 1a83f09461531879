import type { Database } from './database.ts';

/** What was completed in one stretch of time. */
export interface HistoryBucket {
  readonly start: Date;
  readonly series: number;
  readonly slices: number;
  /** Ciphertext bytes of these series. */
  readonly bytesUp: number;
  readonly bytesDown: number;
}

/** @returns stretches in which something was completed, oldest first; aligned to whole multiples of their length. */
export async function jobHistory(
  database: Database,
  hours: number,
  bucketMinutes: number,
): Promise<HistoryBucket[]> {
  const rows = await database.query<Record<'start' | 'series' | 'slices' | 'up' | 'down', string | number>>(
    `select floor(extract(epoch from finished_on) / $2)::float8 * $2 as start, count(*)::int as series,
       coalesce(sum(slices), 0)::int as slices, sum(bytes_up)::float8 as up, sum(bytes_down)::float8 as down
     from bridge.job where state = 'done' and finished_on > now() - make_interval(hours => $1)
     group by 1 order by 1`,
    [hours, bucketMinutes * 60],
  );
  return rows.map(({ start, series, slices, up, down }) => ({
    start: new Date(Number(start) * 1000),
    series: Number(series),
    slices: Number(slices),
    bytesUp: Number(up),
    bytesDown: Number(down),
  }));
}

/** @returns how long the oldest waiting job waits, seconds; 0 if none does. */
export async function longestWait(database: Database): Promise<number> {
  const [row] = await database.query<{ seconds: number | null }>(
    `select extract(epoch from now() - min(queued_on))::float8 as seconds from bridge.job where state = 'queued'`,
  );
  return Math.max(0, row?.seconds ?? 0);
}
