import { beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { DenoiseError } from '@cipherdose/sdk/errors';
import {
  decodePublicKey,
  parameterSet,
  publicKeyBytes,
  publicKeyHeaderBytes,
  publicKeyModuli,
} from '@cipherdose/sdk/protocol';
import { loadSeal, SealCipher, type SealLibrary } from '#sdk/he/index.js';
import { ZeroPool } from '#server/evaluator/zero-pool.js';
import { session } from '../support/masked-layers.ts';
import { refusal } from '../support/refusal.ts';

const set = parameterSet('n8192-q108-t26');

describe('a public key from a hostile client', () => {
  let seal: SealLibrary;
  let good: Uint8Array<ArrayBuffer>;
  beforeAll(async () => {
    seal = await loadSeal();
    const cipher = new SealCipher(seal, set);
    good = cipher.publicKey(session);
    cipher.dispose();
  });
  const decode = (bytes: Uint8Array, id = session) => expect(() => decodePublicKey(set, id, bytes));
  const changed = (offset: number, value: number): Uint8Array => {
    const bytes = good.slice();
    new DataView(bytes.buffer).setUint32(offset, value, true);
    return bytes;
  };

  test('the good one is taken, and makes zeros that decrypt to zero', async () => {
    expect(decodePublicKey(set, session, good)).toHaveLength(2 * 5 * 8192);
    const open = await ZeroPool.opener(set, 2);
    using pool = open(session, good);
    expect(pool.fill(5)).toBe(2);
    expect(pool.ready).toBe(2);
    const taken = [pool.take(), pool.take(), pool.take()];
    expect(pool.ready).toBe(0);
    expect(new Set(taken.map(({ c1 }) => c1.join())).size).toBe(3);
    for (const { c0, c1 } of taken)
      for (const component of [c0, c1])
        set.primes.forEach((prime, k) => {
          const residues = component.subarray(k * set.ringDegree, (k + 1) * set.ringDegree);
          expect(residues.every((residue) => residue < prime)).toBe(true);
        });
  });

  test('of a wrong length is refused', () => {
    for (const length of [0, 1, publicKeyHeaderBytes, good.length - 1])
      decode(good.subarray(0, length)).toThrow(refusal('PUBLIC_KEY_INVALID'));
    decode(new Uint8Array(publicKeyBytes(set) + 1)).toThrow(refusal('PUBLIC_KEY_INVALID'));
  });

  test('with another header is refused', () => {
    decode(changed(0, 0)).toThrow(refusal('PUBLIC_KEY_INVALID'));
    decode(changed(4, 2 | (set.id << 16))).toThrow(refusal('PUBLIC_KEY_INVALID'));
    decode(changed(4, 1 | (1 << 8) | (set.id << 16))).toThrow(refusal('PUBLIC_KEY_INVALID'));
  });

  test('of another session or parameter set is refused', () => {
    decode(good, Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 9)).toThrow(refusal('PUBLIC_KEY_FOREIGN'));
    decode(changed(4, 1 | (1 << 16))).toThrow(refusal('PUBLIC_KEY_FOREIGN'));
  });

  test('with a residue at or above its modulus is refused, wherever it stands', () => {
    const moduli = publicKeyModuli(set);
    fc.assert(
      fc.property(fc.nat(2 * moduli.length * set.ringDegree - 1), fc.nat(3), (place, more) => {
        const modulus = moduli[Math.floor(place / set.ringDegree) % moduli.length] as number;
        const value = more === 3 ? 0xffffffff : modulus + more;
        decode(changed(publicKeyHeaderBytes + 4 * place, value)).toThrow(refusal('PUBLIC_KEY_INVALID'));
      }),
      { numRuns: 60 },
    );
  });

  test('random bytes of the right length never reach SEAL', async () => {
    const bytes = good.slice();
    crypto.getRandomValues(bytes.subarray(publicKeyHeaderBytes, publicKeyHeaderBytes + 4096));
    const open = await ZeroPool.opener(set, 1);
    expect(() => open(session, bytes)).toThrow(refusal('PUBLIC_KEY_INVALID'));
  });

  test('a set that is not of private mode gives no public key', () => {
    const cipher = new SealCipher(seal, parameterSet('n4096-q60-t31'));
    expect(() => cipher.publicKey(session)).toThrow(DenoiseError);
    cipher.dispose();
  });
});
