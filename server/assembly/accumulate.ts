// Sums of ciphertext x plaintext products in the NTT domain: out[o][t] = sum over i of weight[o][i] * input[i][t],
// value by value. Products of two residues below p are summed lazily in 64 bits; every `productsPerFold` products the
// upper word is folded down with 2^32 mod p, so that no sum reaches 2^64 (evaluator/number-theory.ts proves the count).
// One Montgomery reduction ends each sum. While the kernels of one (vector, out channel) are in the first-level cache,
// all tiles are multiplied with them.
import { multiplyHigh, polynomialBytes, PrimeTable, reduceOnce, ringDegree } from './modular';

/** Distance of two output polynomials: not a power of two, so that their vectors do not share one cache set. */
export const outputStride: usize = polynomialBytes + 64;

/**
 * @param input for every pair of tiles [vector][in channel][4 polynomials][4], then for an odd last tile
 *   [vector][in channel][2 polynomials][4]; the polynomials are c0 and c1 of the tiles in order
 * @param weights as {@link transformWeights} lays them out
 * @param output [out channel][tile][c0, c1], polynomials at distance {@link outputStride}, residues below p
 */
export function accumulate(
  input: usize,
  weights: usize,
  output: usize,
  inChannels: u32,
  outChannels: u32,
  tiles: u32,
  table: PrimeTable,
): void {
  const pairRow = <usize>inChannels << 6;
  const pairBytes = <usize>inChannels * 4 * polynomialBytes;
  const weightRow = <usize>inChannels << 4;
  const pairs = tiles >> 1;
  for (let vector: usize = 0; vector < <usize>(ringDegree >> 2); vector++) {
    let target = output + (vector << 4);
    for (let out: u32 = 0; out < outChannels; out++) {
      let block = input;
      for (let pair: u32 = 0; pair < pairs; pair++) {
        sumFour(block + vector * pairRow, weights, inChannels, target, table);
        block += pairBytes;
        target += 4 * outputStride;
      }
      if (tiles & 1) {
        sumTwo(block + vector * (pairRow >> 1), weights, inChannels, target, table);
        target += 2 * outputStride;
      }
      weights += weightRow;
    }
  }
}

function sumFour(x: usize, w: usize, channels: u32, target: usize, table: PrimeTable): void {
  const productsPerFold = table.productsPerFold;
  const word = i32x4.splat(table.word);
  let a0 = i64x2.splat(0);
  let a1 = i64x2.splat(0);
  let a2 = i64x2.splat(0);
  let a3 = i64x2.splat(0);
  let b0 = i64x2.splat(0);
  let b1 = i64x2.splat(0);
  let b2 = i64x2.splat(0);
  let b3 = i64x2.splat(0);
  while (channels > 0) {
    const count = min(channels, productsPerFold);
    channels -= count;
    for (const end = w + (<usize>count << 4); w < end; w += 16, x += 64) {
      const weight = v128.load(w);
      const x0 = v128.load(x);
      a0 = i64x2.add(a0, i64x2.extmul_low_i32x4_u(x0, weight));
      b0 = i64x2.add(b0, i64x2.extmul_high_i32x4_u(x0, weight));
      const x1 = v128.load(x, 16);
      a1 = i64x2.add(a1, i64x2.extmul_low_i32x4_u(x1, weight));
      b1 = i64x2.add(b1, i64x2.extmul_high_i32x4_u(x1, weight));
      const x2 = v128.load(x, 32);
      a2 = i64x2.add(a2, i64x2.extmul_low_i32x4_u(x2, weight));
      b2 = i64x2.add(b2, i64x2.extmul_high_i32x4_u(x2, weight));
      const x3 = v128.load(x, 48);
      a3 = i64x2.add(a3, i64x2.extmul_low_i32x4_u(x3, weight));
      b3 = i64x2.add(b3, i64x2.extmul_high_i32x4_u(x3, weight));
    }
    a0 = fold(a0, word);
    a1 = fold(a1, word);
    a2 = fold(a2, word);
    a3 = fold(a3, word);
    b0 = fold(b0, word);
    b1 = fold(b1, word);
    b2 = fold(b2, word);
    b3 = fold(b3, word);
  }
  const p = i32x4.splat(table.prime);
  const inverse = i32x4.splat(table.inverse);
  v128.store(target, reduce(a0, b0, p, inverse));
  v128.store(target, reduce(a1, b1, p, inverse), outputStride);
  v128.store(target, reduce(a2, b2, p, inverse), 2 * outputStride);
  v128.store(target, reduce(a3, b3, p, inverse), 3 * outputStride);
}

function sumTwo(x: usize, w: usize, channels: u32, target: usize, table: PrimeTable): void {
  const productsPerFold = table.productsPerFold;
  const word = i32x4.splat(table.word);
  let a0 = i64x2.splat(0);
  let a1 = i64x2.splat(0);
  let b0 = i64x2.splat(0);
  let b1 = i64x2.splat(0);
  while (channels > 0) {
    const count = min(channels, productsPerFold);
    channels -= count;
    for (const end = w + (<usize>count << 4); w < end; w += 16, x += 32) {
      const weight = v128.load(w);
      const x0 = v128.load(x);
      a0 = i64x2.add(a0, i64x2.extmul_low_i32x4_u(x0, weight));
      b0 = i64x2.add(b0, i64x2.extmul_high_i32x4_u(x0, weight));
      const x1 = v128.load(x, 16);
      a1 = i64x2.add(a1, i64x2.extmul_low_i32x4_u(x1, weight));
      b1 = i64x2.add(b1, i64x2.extmul_high_i32x4_u(x1, weight));
    }
    a0 = fold(a0, word);
    a1 = fold(a1, word);
    b0 = fold(b0, word);
    b1 = fold(b1, word);
  }
  const p = i32x4.splat(table.prime);
  const inverse = i32x4.splat(table.inverse);
  v128.store(target, reduce(a0, b0, p, inverse));
  v128.store(target, reduce(a1, b1, p, inverse), outputStride);
}

/** low + high * (2^32 mod p): congruent, and below 2^32 * p. */
function fold(sum: v128, word: v128): v128 {
  const high = i32x4.shuffle(sum, sum, 1, 3, 1, 3);
  return i64x2.add(v128.and(sum, i64x2.splat(0xffffffff)), i64x2.extmul_low_i32x4_u(high, word));
}

/**
 * Montgomery reduction of four sums below 2^32 * p: sum * 2^-32 mod p, in [0, p).
 * P. L. Montgomery, "Modular multiplication without trial division" (1985).
 */
function reduce(sumLow: v128, sumHigh: v128, p: v128, inverse: v128): v128 {
  const low = i32x4.shuffle(sumLow, sumHigh, 0, 2, 4, 6);
  const high = i32x4.shuffle(sumLow, sumHigh, 1, 3, 5, 7);
  const difference = i32x4.sub(high, multiplyHigh(i32x4.mul(low, inverse), p));
  return i32x4.min_u(difference, i32x4.add(difference, p));
}
