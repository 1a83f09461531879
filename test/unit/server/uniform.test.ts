import { blake2b as nobleBlake2b } from '@noble/hashes/blake2.js';
import { describe, expect, test } from '@jest/globals';
import { parameterSet } from '@cipherdose/sdk/protocol';
import { Kernel } from '#server/evaluator/kernel.js';
import { integers } from '../../support/arbitraries.ts';
import { blake2b, streamBlock } from '../../support/blake2-reference.ts';

const set = parameterSet('n4096-q90-t25');
const wordBytes = 8 * set.ringDegree;
const rejected = 2n ** 64n - 1n;

const randomBytes = (length: number, seed: number): Uint8Array => {
  const next = integers(seed);
  return Uint8Array.from({ length }, () => next(0, 255));
};

/** Places of one run in the kernel's memory. */
function open(seed: Uint8Array) {
  const kernel = new Kernel();
  const { primes } = kernel.parameters(set);
  const { address } = kernel.allocate(64 + primes.length * wordBytes + 4 * set.ringDegree);
  const words = address + 64;
  kernel.bytes(address, 64).set(seed);
  kernel.call.drawWords(address, primes.length, words);
  const wordsOf = (prime: number) => {
    const { buffer, byteOffset } = kernel.bytes(words + prime * wordBytes, wordBytes);
    return new BigUint64Array(buffer, byteOffset, set.ringDegree);
  };
  const reduce = (prime: number): Uint32Array => {
    const target = words + primes.length * wordBytes;
    kernel.call.reduceWords(words + prime * wordBytes, primes[prime]?.table ?? 0, target);
    return kernel.words(target, set.ringDegree).slice();
  };
  return { wordsOf, reduce };
}

/** What SEAL's sample_poly_uniform makes of the words of a prime. */
const sample = (words: readonly bigint[], prime: number, spare: () => bigint): Uint32Array => {
  const p = BigInt(prime);
  const limit = rejected - (rejected % p) - 1n;
  return Uint32Array.from(words, (first) => {
    let word = first;
    while (word >= limit) word = spare();
    return Number(word % p);
  });
};

describe('seed expansion', () => {
  test('the reference is BLAKE2b as @noble/hashes has it', () => {
    for (const [length, keyBytes, digestBytes] of [
      [0, 0, 64],
      [8, 64, 64],
      [128, 0, 32],
      [129, 17, 20],
      [500, 64, 64],
    ] as const) {
      const input = randomBytes(length, length);
      const key = randomBytes(keyBytes, 5);
      const expected = nobleBlake2b(input, { dkLen: digestBytes, ...(keyBytes > 0 ? { key } : {}) });
      expect(blake2b(input, key, { digestBytes, keyBytes, fanout: 1, depth: 1 })).toEqual(expected);
    }
  });

  test('words are the blocks of the BLAKE2Xb stream', () => {
    const seed = randomBytes(64, 1);
    const { wordsOf } = open(seed);
    for (const counter of [0, 1, 7, 8, 23])
      expect(
        wordsOf(Math.floor(counter / 8)).subarray((counter % 8) * 512, ((counter % 8) + 1) * 512),
      ).toEqual(streamBlock(seed, counter));
  });

  test('words reduce modulo the prime', () => {
    const { wordsOf, reduce } = open(randomBytes(64, 2));
    set.primes.forEach((prime, i) => {
      const p = BigInt(prime);
      wordsOf(i).set([
        0n,
        1n,
        p - 1n,
        p,
        p + 1n,
        2n ** 32n - 1n,
        2n ** 32n,
        2n ** 63n,
        rejected - (rejected % p) - 2n,
      ]);
      const expected = Array.from(wordsOf(i), (word) => Number(word % p));
      expect(Array.from(reduce(i))).toEqual(expected);
    });
  });

  test('rejected words are replaced from behind the words of all primes, in order', () => {
    const seed = randomBytes(64, 3);
    const { wordsOf, reduce } = open(seed);
    const behind = [24, 25].flatMap((counter) => Array.from(streamBlock(seed, counter)));
    let next = 0;
    const spare = (): bigint => behind[next++] as bigint;
    set.primes.forEach((prime, i) => {
      const words = wordsOf(i);
      const largest = rejected - (rejected % BigInt(prime)) - 1n;
      // 3 * 240 rejections use more than one block of 512 words.
      for (let k = 0; k < 240; k++) words[17 * k + i] = k % 2 === 0 ? rejected : largest;
      words[4000] = largest - 1n;
      const expected = sample([...words], prime, spare);
      expect(reduce(i)).toEqual(expected);
    });
    expect(next).toBe(720);
  });
});
