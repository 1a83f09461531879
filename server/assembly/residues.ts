import { unpackU32 } from '../../sdk/assembly/bits';
import { polynomialBytes, ringDegree } from './modular';

/**
 * Unpacks N residues of `bits` bits.
 * @returns the index of the first residue that is not below the prime, or -1
 */
export function unpackResidues(source: usize, target: usize, bits: u32, prime: u32): i32 {
  unpackU32(source, target, ringDegree, bits);
  const p = i32x4.splat(prime);
  for (let at: usize = 0; at < polynomialBytes; at += 16) {
    const outside = i32x4.bitmask(i32x4.ge_u(v128.load(target + at), p));
    if (outside) return <i32>(at >> 2) + ctz(outside);
  }
  return -1;
}

/**
 * Copies four polynomials so that vector v of all of them stands together, at target + v * stride: what one block of
 * the multiply-accumulate reads in order.
 * @param source four polynomials, one behind the other
 */
export function interleaveFour(source: usize, target: usize, stride: usize): void {
  for (let at = source; at < source + polynomialBytes; at += 16, target += stride) {
    v128.store(target, v128.load(at));
    v128.store(target, v128.load(at, polynomialBytes), 16);
    v128.store(target, v128.load(at, 2 * polynomialBytes), 32);
    v128.store(target, v128.load(at, 3 * polynomialBytes), 48);
  }
}

/** The same for two polynomials. */
export function interleaveTwo(source: usize, target: usize, stride: usize): void {
  for (let at = source; at < source + polynomialBytes; at += 16, target += stride) {
    v128.store(target, v128.load(at));
    v128.store(target, v128.load(at, polynomialBytes), 16);
  }
}

/** The same for one. */
export function spreadOne(source: usize, target: usize, stride: usize): void {
  for (let at = source; at < source + polynomialBytes; at += 16, target += stride) v128.store(target, v128.load(at));
}
