/** Number theory for set-up time, on BigInt. */

export function powerModulo(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n;
  let square = base % modulus;
  for (let left = exponent; left > 0n; left >>= 1n) {
    if (left & 1n) result = (result * square) % modulus;
    square = (square * square) % modulus;
  }
  return result;
}

/** Inverse modulo a prime, by Fermat. */
export const inverseModulo = (value: bigint, prime: bigint): bigint =>
  powerModulo(((value % prime) + prime) % prime, prime - 2n, prime);

/** Inverse of an odd number modulo 2^32, by Newton's iteration: each step doubles the correct bits. */
export function inverseModuloWord(odd: bigint): bigint {
  let inverse = odd;
  for (let bits = 3; bits < 32; bits *= 2) inverse = BigInt.asUintN(32, inverse * (2n - odd * inverse));
  return inverse;
}

/** The least primitive root of unity of order `order` (a power of two), the one that SEAL chooses. */
export function leastPrimitiveRoot(order: number, prime: bigint): bigint {
  const half = BigInt(order / 2);
  let root = 0n;
  for (let candidate = 2n; powerModulo(root, half, prime) !== prime - 1n; candidate++)
    root = powerModulo(candidate, (prime - 1n) / BigInt(order), prime);
  // All primitive roots are the odd powers of one.
  const square = (root * root) % prime;
  let least = root;
  for (let k = 1n; k < half; k++) {
    root = (root * square) % prime;
    if (root < least) least = root;
  }
  return least;
}

/** root^0, root^1, ... root^(count - 1) at bit-reversed places; `count` is a power of two. */
export function bitReversedPowers(root: bigint, count: number, prime: bigint): Uint32Array {
  const powers = new Uint32Array(count);
  const shift = 32 - Math.log2(count);
  let power = 1n;
  for (let i = 0; i < count; i++) {
    powers[reverseBits(i) >>> shift] = Number(power);
    power = (power * root) % prime;
  }
  return powers;
}

function reverseBits(value: number): number {
  let reversed = 0;
  for (let bit = 0; bit < 32; bit++) reversed |= ((value >>> bit) & 1) << (31 - bit);
  return reversed >>> 0;
}

/** floor(2^32 * w / p): what lets w be multiplied modulo p without a division. */
export const shoupQuotient = (w: bigint, prime: bigint): number => Number((w << 32n) / prime);

/**
 * How many products of two residues an accumulator of 64 bits takes between two folds: after a fold it is at most
 * (2^32 - 1) + (2^32 - 1) * (2^32 mod p), and count * (p - 1)^2 more must stay below 2^64.
 */
export function productsPerFold(prime: bigint): number {
  const word = 2n ** 32n;
  const folded = (word - 1n) * (1n + (word % prime));
  return Number((2n ** 64n - 1n - folded) / (prime - 1n) ** 2n);
}
