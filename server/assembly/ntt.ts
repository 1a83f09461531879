// Negacyclic number-theoretic transform of N residues, bit-compatible with SEAL: psi is the least primitive
// 2N-th root of unity, tables in bit-reversed order (P. Longa, M. Naehrig, CANS 2016), lazy butterflies in [0, 4p) and
// [0, 2p) (D. Harvey, 2014). Two levels are done at a time, so for N = 4096 every coefficient is loaded and stored six
// times; where log2 N is odd one level stands alone.
import {
  forwardRoots,
  inverseRoots,
  multiplyShoup,
  polynomialBytes,
  PrimeTable,
  reduceOnce,
  ringDegree,
} from './modular';

/** Whether log2 N is odd. */
const oddLevels: bool = (ctz(ringDegree) & 1) == 1;

/** Coefficients to values at the odd powers of psi, in place; input and output in [0, p). */
export function forwardNtt(a: usize, table: PrimeTable): void {
  const roots = forwardRoots(table);
  const p = i32x4.splat(table.prime);
  const p2 = i32x4.splat(2 * table.prime);
  let groups: u32 = 1;
  let half: usize = polynomialBytes >> 1;
  if (oddLevels) {
    const w = v128.load32_splat(roots, 4);
    const wq = v128.load32_splat(roots, polynomialBytes + 4);
    for (let x0 = a; x0 < a + half; x0 += 16) {
      const a0 = v128.load(x0);
      const a1 = multiplyShoup(v128.load(x0 + half), w, wq, p);
      v128.store(x0, i32x4.add(a0, a1));
      v128.store(x0 + half, i32x4.add(i32x4.sub(a0, a1), p2));
    }
    groups = 2;
    half >>= 1;
  }
  for (; half >= 32; half >>= 2) {
    const quarter = half >> 1;
    for (let group: u32 = 0; group < groups; group++) {
      const outer = roots + ((groups + group) << 2);
      const inner = roots + ((2 * (groups + group)) << 2);
      const w = v128.load32_splat(outer);
      const wq = v128.load32_splat(outer, polynomialBytes);
      const u = v128.load32_splat(inner);
      const uq = v128.load32_splat(inner, polynomialBytes);
      const v = v128.load32_splat(inner, 4);
      const vq = v128.load32_splat(inner, polynomialBytes + 4);
      const start = a + (<usize>group * half << 1);
      for (let x0 = start; x0 < start + quarter; x0 += 16) {
        const x1 = x0 + quarter;
        const x2 = x0 + half;
        const x3 = x1 + half;
        const a0 = reduceOnce(v128.load(x0), p2);
        const a1 = reduceOnce(v128.load(x1), p2);
        const a2 = multiplyShoup(v128.load(x2), w, wq, p);
        const a3 = multiplyShoup(v128.load(x3), w, wq, p);
        const b0 = reduceOnce(i32x4.add(a0, a2), p2);
        const b1 = multiplyShoup(i32x4.add(a1, a3), u, uq, p);
        const b2 = reduceOnce(i32x4.add(i32x4.sub(a0, a2), p2), p2);
        const b3 = multiplyShoup(i32x4.add(i32x4.sub(a1, a3), p2), v, vq, p);
        v128.store(x0, i32x4.add(b0, b1));
        v128.store(x1, i32x4.add(i32x4.sub(b0, b1), p2));
        v128.store(x2, i32x4.add(b2, b3));
        v128.store(x3, i32x4.add(i32x4.sub(b2, b3), p2));
      }
    }
    groups <<= 2;
  }
  forwardTail(a, roots, p, p2);
}

/** The last two levels, whose butterflies lie within vectors, and the reduction to [0, p). */
function forwardTail(a: usize, roots: usize, p: v128, p2: v128): void {
  let pairs = roots + (ringDegree >> 2 << 2);
  let singles = roots + (ringDegree >> 1 << 2);
  for (let x = a; x < a + polynomialBytes; x += 32) {
    const v0 = v128.load(x);
    const v1 = v128.load(x, 16);
    let w = v128.load64_splat(pairs);
    let wq = v128.load64_splat(pairs, polynomialBytes);
    w = i32x4.shuffle(w, w, 0, 0, 1, 1);
    wq = i32x4.shuffle(wq, wq, 0, 0, 1, 1);
    const low = reduceOnce(i32x4.shuffle(v0, v1, 0, 1, 4, 5), p2);
    const high = multiplyShoup(i32x4.shuffle(v0, v1, 2, 3, 6, 7), w, wq, p);
    const sum = i32x4.add(low, high);
    const difference = i32x4.add(i32x4.sub(low, high), p2);
    const even = reduceOnce(i32x4.shuffle(sum, difference, 0, 4, 2, 6), p2);
    const odd = multiplyShoup(
      i32x4.shuffle(sum, difference, 1, 5, 3, 7),
      v128.load(singles),
      v128.load(singles, polynomialBytes),
      p,
    );
    const r0 = reduceOnce(reduceOnce(i32x4.add(even, odd), p2), p);
    const r1 = reduceOnce(reduceOnce(i32x4.add(i32x4.sub(even, odd), p2), p2), p);
    v128.store(x, i32x4.shuffle(r0, r1, 0, 4, 1, 5));
    v128.store(x, i32x4.shuffle(r0, r1, 2, 6, 3, 7), 16);
    pairs += 8;
    singles += 16;
  }
}

/**
 * Values back to coefficients, in place, times a constant; input and output in [0, p).
 * @param scale N^-1 times any constant, mod p
 * @param scaleQuotient floor(2^32 * scale / p)
 */
export function inverseNtt(a: usize, table: PrimeTable, scale: u32, scaleQuotient: u32): void {
  const roots = inverseRoots(table);
  const p = i32x4.splat(table.prime);
  const p2 = i32x4.splat(2 * table.prime);
  inverseHead(a, roots, p, p2);
  let groups: u32 = ringDegree >> 4;
  for (let quarter: usize = 16; quarter < polynomialBytes >> 1; quarter <<= 2) {
    const half = quarter << 1;
    for (let group: u32 = 0; group < groups; group++) {
      const outer = roots + ((groups + group) << 2);
      const inner = roots + ((2 * (groups + group)) << 2);
      const w = v128.load32_splat(outer);
      const wq = v128.load32_splat(outer, polynomialBytes);
      const u = v128.load32_splat(inner);
      const uq = v128.load32_splat(inner, polynomialBytes);
      const v = v128.load32_splat(inner, 4);
      const vq = v128.load32_splat(inner, polynomialBytes + 4);
      const start = a + (<usize>group * half << 1);
      for (let x0 = start; x0 < start + quarter; x0 += 16) {
        const x1 = x0 + quarter;
        const x2 = x0 + half;
        const x3 = x1 + half;
        const a0 = v128.load(x0);
        const a1 = v128.load(x1);
        const a2 = v128.load(x2);
        const a3 = v128.load(x3);
        const b0 = reduceOnce(i32x4.add(a0, a1), p2);
        const b1 = multiplyShoup(i32x4.add(i32x4.sub(a0, a1), p2), u, uq, p);
        const b2 = reduceOnce(i32x4.add(a2, a3), p2);
        const b3 = multiplyShoup(i32x4.add(i32x4.sub(a2, a3), p2), v, vq, p);
        v128.store(x0, reduceOnce(i32x4.add(b0, b2), p2));
        v128.store(x1, reduceOnce(i32x4.add(b1, b3), p2));
        v128.store(x2, multiplyShoup(i32x4.add(i32x4.sub(b0, b2), p2), w, wq, p));
        v128.store(x3, multiplyShoup(i32x4.add(i32x4.sub(b1, b3), p2), w, wq, p));
      }
    }
    groups >>= 2;
  }
  if (oddLevels) {
    const half = polynomialBytes >> 1;
    const w = v128.load32_splat(roots, 4);
    const wq = v128.load32_splat(roots, polynomialBytes + 4);
    for (let x0 = a; x0 < a + half; x0 += 16) {
      const a0 = v128.load(x0);
      const a1 = v128.load(x0 + half);
      v128.store(x0, reduceOnce(i32x4.add(a0, a1), p2));
      v128.store(x0 + half, multiplyShoup(i32x4.add(i32x4.sub(a0, a1), p2), w, wq, p));
    }
  }
  const factor = i32x4.splat(scale);
  const quotient = i32x4.splat(scaleQuotient);
  for (let x = a; x < a + polynomialBytes; x += 16)
    v128.store(x, reduceOnce(multiplyShoup(v128.load(x), factor, quotient, p), p));
}

/** The first two levels, whose butterflies lie within vectors. */
function inverseHead(a: usize, roots: usize, p: v128, p2: v128): void {
  let pairs = roots + (ringDegree >> 2 << 2);
  let singles = roots + (ringDegree >> 1 << 2);
  for (let x = a; x < a + polynomialBytes; x += 32) {
    const v0 = v128.load(x);
    const v1 = v128.load(x, 16);
    const even = i32x4.shuffle(v0, v1, 0, 2, 4, 6);
    const odd = i32x4.shuffle(v0, v1, 1, 3, 5, 7);
    const sum = reduceOnce(i32x4.add(even, odd), p2);
    const difference = multiplyShoup(
      i32x4.add(i32x4.sub(even, odd), p2),
      v128.load(singles),
      v128.load(singles, polynomialBytes),
      p,
    );
    let w = v128.load64_splat(pairs);
    let wq = v128.load64_splat(pairs, polynomialBytes);
    w = i32x4.shuffle(w, w, 0, 0, 1, 1);
    wq = i32x4.shuffle(wq, wq, 0, 0, 1, 1);
    const low = i32x4.shuffle(sum, difference, 0, 4, 2, 6);
    const high = i32x4.shuffle(sum, difference, 1, 5, 3, 7);
    const r0 = reduceOnce(i32x4.add(low, high), p2);
    const r1 = multiplyShoup(i32x4.add(i32x4.sub(low, high), p2), w, wq, p);
    v128.store(x, i32x4.shuffle(r0, r1, 0, 1, 4, 5));
    v128.store(x, i32x4.shuffle(r0, r1, 2, 3, 6, 7), 16);
    pairs += 8;
    singles += 16;
  }
}
