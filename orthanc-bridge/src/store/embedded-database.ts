import { PGlite } from '@electric-sql/pglite';
import { fromPglite } from 'pg-boss';
import { join } from 'node:path';
import { DenoiseError } from '@cipherdose/sdk/errors';
import type { Database, Row } from './database.ts';

/**
 * PostgreSQL in WASM, kept in a folder. Only one process may have it open: take the folder lock first.
 * Its first start in an empty folder takes some seconds.
 * @throws QUEUE_UNAVAILABLE
 */
export async function openEmbeddedDatabase(dataFolder: string): Promise<Database> {
  const pglite = await PGlite.create(join(dataFolder, 'queue')).catch((cause: unknown) => {
    throw new DenoiseError('QUEUE_UNAVAILABLE', { reason: 'the embedded database does not open' }, { cause });
  });
  return {
    kind: 'embedded',
    async query<R extends Row>(text: string, values: readonly unknown[] = []) {
      try {
        return (await pglite.query<R>(text, [...values])).rows;
      } catch (cause) {
        throw new DenoiseError('QUEUE_UNAVAILABLE', { reason: 'statement failed' }, { cause });
      }
    },
    boss: fromPglite(pglite),
    close: () => pglite.close(),
  };
}
