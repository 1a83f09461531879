import { sha256 } from '@noble/hashes/sha2.js';
import { utf8ToBytes } from '@noble/hashes/utils.js';

const namespace = 'cipherdose';

/**
 * A UID that depends only on its arguments, so that denoising again gives the same object.
 * `2.25.` and a UUID as a decimal number (PS3.5 annex B.2), here a UUIDv8 (RFC 9562 section 5.8) of a SHA-256.
 */
export function derivedUid(
  kind: 'instance' | 'frame' | 'series' | 'implementation',
  ...parts: readonly string[]
): string {
  const uuid = sha256(utf8ToBytes([namespace, kind, ...parts].join('\0'))).subarray(0, 16);
  uuid[6] = ((uuid[6] as number) & 0x0f) | 0x80;
  uuid[8] = ((uuid[8] as number) & 0x3f) | 0x80;
  return `2.25.${uuid.reduce((number, byte) => number * 256n + BigInt(byte), 0n)}`;
}
