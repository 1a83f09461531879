import { describe, expect, test } from '@jest/globals';
import {
  bitReversedPowers,
  inverseModulo,
  inverseModuloWord,
  leastPrimitiveRoot,
  powerModulo,
  productsPerFold,
} from '#server/evaluator/number-theory.js';

const primes = [1073651713n, 1073668097n, 1073692673n, 40961n];

describe('number theory', () => {
  test.each(primes)('inverses modulo %d and modulo 2^32', (prime) => {
    for (const value of [1n, 2n, 3n, prime - 1n, 123_456n]) {
      expect((inverseModulo(value, prime) * value) % prime).toBe(1n);
    }
    expect(BigInt.asUintN(32, inverseModuloWord(prime) * prime)).toBe(1n);
    expect((inverseModulo(-5n, prime) * (prime - 5n)) % prime).toBe(1n);
  });

  test.each(primes.slice(0, 3))('the least primitive root modulo %d is primitive and least', (prime) => {
    const root = leastPrimitiveRoot(8192, prime);
    expect(powerModulo(root, 4096n, prime)).toBe(prime - 1n);
    const square = (root * root) % prime;
    let other = root;
    for (let i = 0; i < 4096; i++) {
      expect(other >= root).toBe(true);
      other = (other * square) % prime;
    }
    expect(other).toBe(root);
  });

  test('powers stand at bit-reversed places', () => {
    expect(Array.from(bitReversedPowers(2n, 8, 257n))).toEqual([1, 16, 4, 64, 2, 32, 8, 128]);
  });

  test('no accumulator reaches 2^64, and one product more could', () => {
    for (const prime of [...primes.slice(0, 3), 2n ** 30n - 1n, 2n ** 29n + 11n]) {
      const count = BigInt(productsPerFold(prime));
      const folded = (2n ** 32n - 1n) * (1n + (2n ** 32n % prime));
      expect(folded + count * (prime - 1n) ** 2n).toBeLessThan(2n ** 64n);
      expect(folded + (count + 1n) * (prime - 1n) ** 2n).toBeGreaterThanOrEqual(2n ** 64n);
      expect(folded).toBeLessThan(prime * 2n ** 32n);
    }
  });
});
