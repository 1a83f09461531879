import type { Db } from 'pg-boss';

export type Row = Readonly<Record<string, unknown>>;

/** PostgreSQL, embedded (PGlite) or on a server; the same SQL serves both. */
export interface Database {
  readonly kind: 'embedded' | 'server';
  /** One statement. @throws QUEUE_UNAVAILABLE */
  query<R extends Row = Row>(text: string, values?: readonly unknown[]): Promise<R[]>;
  /** What pg-boss runs on. */
  readonly boss: Db;
  close(): Promise<void>;
}
