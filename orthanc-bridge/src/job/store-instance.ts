import { DenoiseError } from '@cipherdose/sdk/errors';
import { md5Of, type OrthancClient } from '../orthanc/orthanc-client.ts';

/**
 * Stores one derived object and reads its checksum back. An object of the same UID with other bytes (made by an earlier
 * run with another timestamp, or damaged) is replaced: the UID is ours alone.
 * @returns the MD5 that Orthanc confirmed
 * @throws WRITE_UNVERIFIED if Orthanc holds other bytes; nothing of it is left. ORTHANC_*
 */
export async function storeInstance(
  target: OrthancClient,
  bytes: Uint8Array,
  signal: AbortSignal,
): Promise<string> {
  const expected = md5Of(bytes);
  const first = await target.upload(bytes, signal);
  if ((await target.instanceMd5(first.ID)) === expected) return expected;
  await target.remove('instances', first.ID);
  const second = await target.upload(bytes, signal);
  const stored = await target.instanceMd5(second.ID);
  if (stored === expected) return expected;
  await target.remove('instances', second.ID);
  throw new DenoiseError('WRITE_UNVERIFIED', { orthanc: target.name, status: second.Status });
}
