import { PrimeTable, ringDegree } from './modular';

/**
 * Rounds N coefficients from q to 2^bits: floor(2^bits * x / q + 1/2) mod 2^bits. The fraction x / q mod 1 is the sum
 * of v_i / p_i with v_i = x * (q / p_i)^-1 mod p_i, in units of 2^-64, each term at most two units short.
 * @param residues the v_i, one polynomial a prime, at distance `stride`
 * @param tables u32 addresses of the {@link PrimeTable}s
 * @param shift added to every fraction, in units of 2^-64
 * @param target N u64
 */
export function roundPolynomial(
  residues: usize,
  stride: usize,
  tables: usize,
  primes: u32,
  shift: u64,
  bits: u32,
  target: usize,
): void {
  const start = i64x2.splat(shift + ((<u64>1) << (63 - bits)));
  const drop = <i32>(64 - bits);
  for (let at: usize = 0; at < <usize>ringDegree << 2; at += 16) {
    let even = start;
    let odd = start;
    let source = residues + at;
    for (let i: usize = 0; i < <usize>primes; i++) {
      const table = changetype<PrimeTable>(<usize>load<u32>(tables + (i << 2)));
      const v = v128.load(source);
      const low = i32x4.splat(table.fractionLow);
      const middle = i32x4.splat(table.fractionMiddle);
      const high = i32x4.splat(table.fractionHigh);
      even = i64x2.add(even, i64x2.shr_u(i64x2.extmul_low_i32x4_u(v, low), 32));
      odd = i64x2.add(odd, i64x2.shr_u(i64x2.extmul_high_i32x4_u(v, low), 32));
      even = i64x2.add(even, i64x2.extmul_low_i32x4_u(v, middle));
      odd = i64x2.add(odd, i64x2.extmul_high_i32x4_u(v, middle));
      even = i64x2.add(even, i64x2.shl(i64x2.extmul_low_i32x4_u(v, high), 32));
      odd = i64x2.add(odd, i64x2.shl(i64x2.extmul_high_i32x4_u(v, high), 32));
      source += stride;
    }
    v128.store(target, i64x2.shr_u(even, drop));
    v128.store(target, i64x2.shr_u(odd, drop), 16);
    target += 32;
  }
}

/** target[k] = source[indices[k]], u64 */
export function gather(source: usize, indices: usize, count: u32, target: usize): void {
  for (let k: usize = 0; k < <usize>count; k++)
    store<u64>(target + (k << 3), load<u64>(source + (<usize>load<u32>(indices + (k << 2)) << 3)));
}
