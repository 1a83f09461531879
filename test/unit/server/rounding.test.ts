import { describe, expect, test } from '@jest/globals';
import { parameterSet, parameterSetNames } from '@cipherdose/sdk/protocol';
import { inverseModulo } from '#server/evaluator/number-theory.js';
import { Kernel } from '#server/evaluator/kernel.js';
import { integers } from '../../support/arbitraries.ts';

describe.each(parameterSetNames)('rounding from q to 2^bits: %s', (name) => {
  const set = parameterSet(name);
  const q = set.primes.reduce((product, prime) => product * BigInt(prime), 1n);
  const next = integers(4);
  const random = (): bigint =>
    set.primes.reduce((value, prime) => (value * BigInt(prime) + BigInt(next(0, prime - 1))) % q, 0n);
  const coefficients = Array.from(
    { length: set.ringDegree },
    (_, i) => [0n, 1n, q - 1n, q / 2n, q / 2n + 1n][i] ?? random(),
  );

  test.each([
    ['c0', set.c0Bits, 0n],
    ['c1', set.c1Bits, 0n],
    ['c0 with a bias', set.c0Bits, -12_345n],
  ])('%s', (_, bits, bias) => {
    const kernel = new Kernel(set.ringDegree);
    const { primes, tables } = kernel.parameters(set);
    const stride = 4 * set.ringDegree + 64;
    const { address } = kernel.allocate(primes.length * stride);
    const target = kernel.allocate(8 * set.ringDegree).address;
    primes.forEach(({ prime }, i) => {
      const p = BigInt(prime);
      const inverse = inverseModulo(q / p, p);
      kernel
        .words(address + i * stride, set.ringDegree)
        .set(coefficients.map((x) => Number(((x % p) * inverse) % p)));
    });
    const shift = BigInt.asUintN(64, bias << BigInt(64 - set.plainModulusBits));
    kernel.call.roundPolynomial(address, stride, tables, primes.length, shift, bits, target);
    const { buffer, byteOffset } = kernel.bytes(target, 8 * set.ringDegree);
    const got = new BigUint64Array(buffer, byteOffset, set.ringDegree);
    coefficients.forEach((x, i) => {
      // floor(2^bits * (x/q + bias/t) + 1/2), on the fraction in units of 2^-64 and at most two units short a prime.
      const fraction = (x << 64n) / q + shift;
      const rounded = (units: bigint): bigint =>
        BigInt.asUintN(bits, (units + (1n << BigInt(63 - bits))) >> BigInt(64 - bits));
      expect([rounded(fraction), rounded(fraction - 2n * BigInt(primes.length))]).toContain(got[i]);
    });
  });
});
