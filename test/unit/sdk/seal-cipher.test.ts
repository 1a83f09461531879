import { describe, expect, it } from '@jest/globals';
import { DenoiseError } from '@cipherdose/sdk/errors';
import {
  parameterSet,
  parameterSetNames,
  packedBytes,
  requestCiphertextBytes,
  residueBits,
} from '@cipherdose/sdk/protocol';
import { loadSeal, SealCipher } from '#sdk/he/index.js';
import { readBits, writeBits } from '../../support/bit-stream.ts';

const seal = await loadSeal();

/** The `a` of a seeded ciphertext is not in the frame; for a round trip without a host, c1 has to come from SEAL. */
describe.each(parameterSetNames)('SealCipher with %s', (name) => {
  const set = parameterSet(name);

  it('writes c0 residues below each prime and a fresh seed each time', () => {
    const cipher = new SealCipher(seal, set);
    const frame = new Uint8Array(2 * requestCiphertextBytes(set));
    cipher.coefficients.fill(0);
    cipher.coefficients[5] = -7;
    const middle = cipher.encrypt(frame, 0);
    expect(middle).toBe(requestCiphertextBytes(set));
    expect(cipher.encrypt(frame, middle)).toBe(frame.length);
    const bits = residueBits(set);
    set.primes.forEach((prime, k) => {
      const start = k * packedBytes(set.ringDegree, bits);
      const residues = readBits(frame.subarray(start), set.ringDegree, bits);
      expect(residues.every((residue) => residue < BigInt(prime))).toBe(true);
      // A ciphertext looks uniform: a repeated or small pattern would show here.
      expect(new Set(residues).size).toBeGreaterThan(set.ringDegree * 0.99);
    });
    const seeds = [0, middle].map((end) =>
      Buffer.from(frame.subarray(end + middle - 64, end + middle)).toString('hex'),
    );
    expect(new Set(seeds).size).toBe(2);
    cipher.dispose();
  });

  it('decrypts a rounded reply with c1 = 0 to the coefficients of c0 * t / q', () => {
    const cipher = new SealCipher(seal, set);
    const indices = Uint32Array.from([0, 1, 77, 4095]);
    const values = [1, -1, 2 ** (set.plainModulusBits - 1) - 1, -(2 ** (set.plainModulusBits - 2))];
    const scale = 2n ** BigInt(set.c0Bits - set.plainModulusBits);
    const c0 = writeBits(
      values.map((value) => BigInt.asUintN(set.c0Bits, BigInt(value) * scale)),
      set.c0Bits,
    );
    const reply = new Uint8Array(c0.length + packedBytes(set.ringDegree, set.c1Bits));
    reply.set(c0);
    const target = new Int32Array(indices.length);
    cipher.decrypt(reply, 0, indices, target);
    expect([...target]).toEqual(values);
    cipher.dispose();
  });

  it('cannot be serialised', () => {
    const cipher = new SealCipher(seal, set);
    expect(() => JSON.stringify(cipher)).toThrow(DenoiseError);
    cipher.dispose();
  });
});
