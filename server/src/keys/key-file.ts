import { randomBytes } from 'node:crypto';
import { open, readFile, rename, rm } from 'node:fs/promises';
import { z } from 'zod';
import { DenoiseError } from '@cipherdose/sdk/errors';
import { sha256Hex } from '@cipherdose/sdk/protocol';
import { createApiKey, hashApiKey } from './api-key.ts';

const keyRecordSchema = z.strictObject({
  id: z.string().regex(/^[0-9a-f]{8}$/),
  name: z.string().min(1).max(100),
  /** Of the key, which is nowhere kept. */
  sha256: sha256Hex,
  created: z.iso.datetime(),
  revoked: z.iso.datetime().optional(),
});
export type KeyRecord = Readonly<z.infer<typeof keyRecordSchema>>;

const keyFileSchema = z.strictObject({
  format: z.literal('cipherdose-keys/1'),
  keys: z.array(keyRecordSchema),
});

/**
 * @returns the keys, revoked ones included.
 * @throws FILE_UNREADABLE, CONFIG_INVALID
 */
export async function readKeyFile(file: string): Promise<readonly KeyRecord[]> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new DenoiseError('FILE_UNREADABLE', { file }, { cause });
  });
  try {
    return keyFileSchema.parse(JSON.parse(text)).keys;
  } catch (cause) {
    throw new DenoiseError(
      'CONFIG_INVALID',
      { field: 'keysFile', reason: `${file} is not a key file` },
      { cause },
    );
  }
}

/**
 * Replaces the file at once: a reader sees the old keys or the new ones, never a part.
 * @throws FILE_UNWRITABLE
 */
export async function writeKeyFile(file: string, keys: readonly KeyRecord[]): Promise<void> {
  const next = `${file}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    const handle = await open(next, 'wx', 0o600);
    try {
      await handle.writeFile(`${JSON.stringify({ format: 'cipherdose-keys/1', keys }, undefined, 2)}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(next, file);
  } catch (cause) {
    await rm(next, { force: true });
    throw new DenoiseError('FILE_UNWRITABLE', { file }, { cause });
  }
}

/**
 * @returns a new key, to be shown once, and the record to keep of it.
 * @throws USAGE if the name is empty or longer than 100 characters
 */
export function issueKey(name: string, now: Date): { readonly key: string; readonly record: KeyRecord } {
  const key = createApiKey();
  const record = {
    id: randomBytes(4).toString('hex'),
    name,
    sha256: hashApiKey(key),
    created: now.toISOString(),
  };
  if (!keyRecordSchema.safeParse(record).success)
    throw new DenoiseError('USAGE', { name, reason: 'not a name' });
  return { key, record };
}

/** @throws USAGE if there is no such key */
export function revokeKey(keys: readonly KeyRecord[], id: string, now: Date): readonly KeyRecord[] {
  if (!keys.some((record) => record.id === id))
    throw new DenoiseError('USAGE', { reason: `no key has the id ${id}` });
  return keys.map((record) => (record.id === id ? { revoked: now.toISOString(), ...record } : record));
}
