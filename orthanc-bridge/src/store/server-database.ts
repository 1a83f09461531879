import { Pool } from 'pg';
import { DenoiseError } from '@cipherdose/sdk/errors';
import type { Database, Row } from './database.ts';

/** @throws QUEUE_UNAVAILABLE */
export function openServerDatabase(connectionString: string, onError: (error: Error) => void): Database {
  const pool = new Pool({ connectionString, max: 8, connectionTimeoutMillis: 10_000, keepAlive: true });
  // An idle connection that breaks is replaced; without a listener it would end the process.
  pool.on('error', onError);
  return {
    kind: 'server',
    async query<R extends Row>(text: string, values: readonly unknown[] = []) {
      try {
        return (await pool.query<R>(text, [...values])).rows;
      } catch (cause) {
        throw new DenoiseError('QUEUE_UNAVAILABLE', { reason: codeOf(cause) }, { cause });
      }
    },
    boss: {
      async executeSql(text: string, values?: unknown[]) {
        const result: unknown = await pool.query(text, values);
        // Several statements without values give one result each.
        const results = (Array.isArray(result) ? result : [result]) as { rows?: unknown[] }[];
        return { rows: results.flatMap(({ rows }) => rows ?? []) };
      },
    },
    close: () => pool.end(),
  };
}

const codeOf = (cause: unknown): string =>
  (cause instanceof Error ? (cause as NodeJS.ErrnoException).code : undefined) ?? 'statement failed';
