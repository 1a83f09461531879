import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { KeyRecord } from './key-file.ts';

const prefix = 'cdk_';

/** @returns a new API key: 32 random bytes as base64url after a prefix that secret scanners can look for. */
export const createApiKey = (): string => prefix + randomBytes(32).toString('base64url');

/** @returns the SHA-256 of a key, 64 hexadecimal digits. A random key needs no salt and no slow hash. */
export const hashApiKey = (key: string): string => createHash('sha256').update(key, 'utf8').digest('hex');

/** @returns the record of a key that is known and not revoked; takes the same time whichever matches. */
export function findApiKey(records: readonly KeyRecord[], key: string): KeyRecord | undefined {
  const digest = Buffer.from(hashApiKey(key), 'hex');
  let found: KeyRecord | undefined;
  for (const record of records)
    if (timingSafeEqual(digest, Buffer.from(record.sha256, 'hex')) && record.revoked === undefined)
      found = record;
  return found;
}
