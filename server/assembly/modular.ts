// Arithmetic modulo primes p < 2^30 in four 32-bit lanes. The four multiples of p that lazy reduction needs stay
// below 2^32.

import { ringDegree } from './ring-degree';

export { ringDegree } from './ring-degree';

/** Bytes of one polynomial of N residues. */
export const polynomialBytes: usize = (<usize>ringDegree) << 2;

/**
 * Constants of one prime, written by the host (evaluator/prime-table.ts). The four tables of N words that follow at
 * {@link rootsOffset}: powers of the root, their Shoup quotients, powers of its inverse, their Shoup quotients.
 */
@unmanaged
export class PrimeTable {
  prime: u32;
  /** p^-1 mod 2^32 */
  inverse: u32;
  /** 2^32 mod p, and floor(2^32 * that / p) */
  word: u32;
  wordQuotient: u32;
  /** floor(2^32 / p) */
  unitQuotient: u32;
  /** Products of two residues that an accumulator takes between two folds. */
  productsPerFold: u32;
  /** floor(2^96 / p) in words, lowest first: the fraction 1/p. */
  fractionLow: u32;
  fractionMiddle: u32;
  fractionHigh: u32;
}

const rootsOffset: usize = 64;

export function forwardRoots(table: PrimeTable): usize {
  return changetype<usize>(table) + rootsOffset;
}

export function inverseRoots(table: PrimeTable): usize {
  return changetype<usize>(table) + rootsOffset + 2 * polynomialBytes;
}

/** x - m where x >= m, else x. */
export function reduceOnce(x: v128, m: v128): v128 {
  return i32x4.min_u(x, i32x4.sub(x, m));
}

/** Upper words of the four 64-bit products. */
export function multiplyHigh(a: v128, b: v128): v128 {
  return i32x4.shuffle(i64x2.extmul_low_i32x4_u(a, b), i64x2.extmul_high_i32x4_u(a, b), 1, 3, 5, 7);
}

/**
 * x * w mod p in [0, 2p) for any 32-bit x, with quotient = floor(2^32 * w / p).
 * D. Harvey, "Faster arithmetic for number-theoretic transforms" (2014), algorithm 2 (V. Shoup's trick).
 */
export function multiplyShoup(x: v128, w: v128, quotient: v128, p: v128): v128 {
  return i32x4.sub(i32x4.mul(x, w), i32x4.mul(multiplyHigh(x, quotient), p));
}
