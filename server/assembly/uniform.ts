// The uniform polynomial `a` of a seeded ciphertext, exactly as SEAL 4.1.2 draws it (util/rlwe.cpp,
// sample_poly_uniform): 64-bit words of the stream, one for each coefficient, prime by prime; a word at or above the
// largest multiple of p is replaced by the next word that the stream has after the first N words of every prime.
import { fillBlocks, keyStream, streamBlockBytes } from './blake2xb';
import { multiplyShoup, polynomialBytes, PrimeTable, reduceOnce, ringDegree } from './modular';

/** Words behind the first N of every prime, drawn only after a rejection. */
const spare = memory.data(4096, 16);
let spareNext: u32 = streamBlockBytes;
let nextBlock: u64 = 0;

/** Writes the first N words of every prime. @param words room for primes * N u64 */
export function drawWords(seed: usize, primes: u32, words: usize): void {
  keyStream(seed);
  const blocks = primes * ((ringDegree << 3) / streamBlockBytes);
  fillBlocks(0, blocks, words);
  nextBlock = blocks;
  spareNext = streamBlockBytes;
}

/** Reduces N words modulo one prime; call it for the primes in order. Words that were rejected are overwritten. */
export function reduceWords(words: usize, table: PrimeTable, target: usize): void {
  const p = i32x4.splat(table.prime);
  const p2 = i32x4.splat(2 * table.prime);
  const word = i32x4.splat(table.word);
  const wordQuotient = i32x4.splat(table.wordQuotient);
  const unit = i32x4.splat(1);
  const unitQuotient = i32x4.splat(table.unitQuotient);
  const ones = i32x4.splat(-1);
  // ~0 - (~0 mod p) - 1: words at or above it are refused.
  const limit = ~(<u64>0) - (~(<u64>0) % <u64>table.prime) - 1;
  for (let end = target + polynomialBytes; target < end; target += 16, words += 32) {
    let v0 = v128.load(words);
    let v1 = v128.load(words, 16);
    let high = i32x4.shuffle(v0, v1, 1, 3, 5, 7);
    // The limit lies within 2^31 of 2^64, so only words of 32 leading ones can reach it.
    if (v128.any_true(i32x4.eq(high, ones))) {
      replaceRejected(words, limit);
      v0 = v128.load(words);
      v1 = v128.load(words, 16);
      high = i32x4.shuffle(v0, v1, 1, 3, 5, 7);
    }
    const low = i32x4.shuffle(v0, v1, 0, 2, 4, 6);
    const sum = i32x4.add(multiplyShoup(high, word, wordQuotient, p), multiplyShoup(low, unit, unitQuotient, p));
    v128.store(target, reduceOnce(reduceOnce(sum, p2), p));
  }
}

function replaceRejected(words: usize, limit: u64): void {
  for (let at = words; at < words + 32; at += 8) while (load<u64>(at) >= limit) store<u64>(at, spareWord());
}

function spareWord(): u64 {
  if (spareNext === streamBlockBytes) {
    fillBlocks(nextBlock++, 1, spare);
    spareNext = 0;
  }
  const value = load<u64>(spare + spareNext);
  spareNext += 8;
  return value;
}
