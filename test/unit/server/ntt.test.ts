import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parameterSet } from '@cipherdose/sdk/protocol';
import { Kernel } from '#server/evaluator/kernel.js';
import {
  inverseModulo,
  leastPrimitiveRoot,
  powerModulo,
  shoupQuotient,
} from '#server/evaluator/number-theory.js';
import { integers } from '../../support/arbitraries.ts';

const cases = ['n4096-q90-t25', 'n8192-q108-t26'].map(parameterSet).flatMap((set) => {
  const kernel = new Kernel(set.ringDegree);
  return kernel.parameters(set).primes.map((constants) => ({ ...constants, kernel, degree: set.ringDegree }));
});

describe.each(cases)('NTT of $degree modulo $prime', ({ prime, table, kernel, degree }) => {
  const [a, b] = [kernel.allocate(4 * degree).address, kernel.allocate(4 * degree).address];
  const bitReversed = (value: number): number =>
    Number.parseInt(value.toString(2).padStart(Math.log2(degree), '0').split('').reverse().join(''), 2);
  const p = BigInt(prime);
  const inverse = inverseModulo(BigInt(degree), p);
  const invert = (address: number): void => {
    kernel.call.inverseNtt(address, table, Number(inverse), shoupQuotient(inverse, p));
  };
  const random = (seed: number): Uint32Array => {
    const next = integers(seed);
    return Uint32Array.from({ length: degree }, () => next(0, prime - 1));
  };

  test('values are those of the polynomial at odd powers of psi, in bit-reversed order', () => {
    const coefficients = random(1);
    kernel.words(a, degree).set(coefficients);
    kernel.call.forwardNtt(a, table);
    const psi = leastPrimitiveRoot(2 * degree, p);
    for (const place of [0, 1, 2, 3, 1000, degree - 1]) {
      const point = powerModulo(psi, BigInt(2 * bitReversed(place) + 1), p);
      const value = coefficients.reduceRight(
        (sum, coefficient) => (sum * point + BigInt(coefficient)) % p,
        0n,
      );
      expect(kernel.words(a, degree)[place]).toBe(Number(value));
    }
  });

  test('the inverse brings every polynomial back', () => {
    const largest = new Uint32Array(degree).fill(prime - 1);
    const check = (coefficients: Uint32Array): void => {
      kernel.words(a, degree).set(coefficients);
      kernel.call.forwardNtt(a, table);
      expect(kernel.words(a, degree).every((value) => value < prime)).toBe(true);
      invert(a);
      expect(kernel.words(a, degree)).toEqual(coefficients);
    };
    check(new Uint32Array(degree));
    check(largest);
    fc.assert(
      fc.property(fc.integer(), (seed) => check(random(seed))),
      { numRuns: 20 },
    );
  });

  test('products of values are negacyclic products of polynomials', () => {
    const [x, y] = [random(3), new Uint32Array(degree)];
    // y = 5 X^3 + X^4095: a sparse factor whose product is easily written down.
    y[3] = 5;
    y[degree - 1] = 1;
    kernel.words(a, degree).set(x);
    kernel.words(b, degree).set(y);
    kernel.call.forwardNtt(a, table);
    kernel.call.forwardNtt(b, table);
    const other = kernel.words(b, degree);
    kernel.words(a, degree).forEach((value, i, values) => {
      values[i] = Number((BigInt(value) * BigInt(other[i] as number)) % p);
    });
    invert(a);
    const at = (i: number): bigint => (i < 0 ? -BigInt(x[i + degree] as number) : BigInt(x[i] as number));
    const expected = Uint32Array.from({ length: degree }, (_, i) => {
      const last = i + 1 < degree ? -at(i + 1) : at(0);
      return Number((((5n * at(i - 3) + last) % p) + p) % p);
    });
    expect(kernel.words(a, degree)).toEqual(expected);
  });
});
