import { PGlite } from '@electric-sql/pglite';
import { fromPglite } from 'pg-boss';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { DenoiseError } from '@cipherdose/sdk/errors';
import type { Database, Row } from './database.ts';

/**
 * PostgreSQL in WASM, kept in a folder. Only one process may have it open: take the folder lock first.
 * Its first start in an empty folder takes some seconds.
 * @throws QUEUE_UNAVAILABLE
 */
export async function openEmbeddedDatabase(dataFolder: string): Promise<Database> {
  const folder = join(dataFolder, 'queue');
  if (!existsSync(folder)) await createDatabase(folder);
  const pglite = await PGlite.create(folder).catch((cause: unknown) => {
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

/**
 * In a process of its own, because initdb takes 1 GB of memory for a moment, and under another name first, because half a
 * database would never open again.
 */
async function createDatabase(folder: string): Promise<void> {
  const unfinished = `${folder}.new`;
  await rm(unfinished, { recursive: true, force: true });
  const program = fileURLToPath(new URL('./create-database.js', import.meta.url));
  const child = fork(program, [unfinished], { stdio: 'ignore' });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0)
    throw new DenoiseError('QUEUE_UNAVAILABLE', { reason: 'the embedded database cannot be made' });
  await rename(unfinished, folder);
}
