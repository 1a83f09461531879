import { blake3 } from '@noble/hashes/blake3.js';
import { checkActivation, type ActivationLiteral, type FieldBits } from '#sdk/two-party/index.js';
import { activate, openPair, prepare } from './two-party.ts';

/**
 * Runs handshake, preparation and activation with seeded randomness.
 * @returns the digest of all that was said and of both results: the same on every machine that runs it
 */
export function digestTranscript(fieldBits: FieldBits, literal: ActivationLiteral): string {
  const pair = openPair(fieldBits, 42);
  const accumulators = Int32Array.from({ length: 3000 }, (_, i) => i * 37 - 40_000);
  const parameters = checkActivation(literal);
  const shares = activate(pair, prepare(pair, parameters, accumulators.length), accumulators);
  const hash = blake3.create({});
  for (const { message } of pair.spoken) hash.update(message);
  hash.update(new Uint8Array(shares.client.buffer)).update(new Uint8Array(shares.host.buffer));
  return Array.from(hash.digest().subarray(0, 16), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
