// Codec between SEAL's bytes (64-bit residues) and the wire (bit-packed, rounded), for the client.
import { packU32, unpackU64 } from './bits';

export { unpackU32 } from './bits';

/** Packs the low words of `count` 64-bit residues. @returns the address after the last byte written */
export function packResidues(source: usize, scratch: usize, target: usize, count: u32, bits: u32): usize {
  for (let i: u32 = 0; i < count; i++)
    store<u32>(scratch + (<usize>i << 2), load<u32>(source + (<usize>i << 3)));
  return packU32(scratch, target, count, bits);
}

// x mod prime for x < 2^62 and prime < 2^30: the quotient from floating point is off by one at most.
@inline
function modulo(x: u64, prime: u64, inverse: f64): u64 {
  const remainder = <i64>(x - <u64>(<f64>x * inverse) * prime);
  return <u64>(remainder < 0 ? remainder + <i64>prime : remainder >= <i64>prime ? remainder - <i64>prime : remainder);
}

/**
 * Lifts `count` values y of `bits` bits from a reply to residues of y * q / 2^bits for every prime. With
 * q = whole * 2^bits + rest this is y * whole + y * rest / 2^bits; the second term is the same integer for every
 * prime, at most 2 below the exact quotient, which is far below the rounding that the reply already has.
 * @param wholes whole modulo each prime, u32
 * @param rest rest * 2^48 / 2^bits, rounded down
 * @param target residues as u64, one run of `stride` values for each prime; value i goes to indices[i] (u32) of the
 *   run, or to i where `indices` is 0
 * @returns the address after the last byte read
 */
export function liftReply(
  source: usize,
  scratch: usize,
  target: usize,
  indices: usize,
  count: u32,
  stride: u32,
  bits: u32,
  primes: usize,
  primeCount: u32,
  wholes: usize,
  rest: u64,
): usize {
  const end = unpackU64(source, scratch, count, bits);
  const low24: u64 = 0xffffff;
  const restHigh = rest >> 24;
  const restLow = rest & low24;
  for (let k: u32 = 0; k < primeCount; k++) {
    const prime = <u64>load<u32>(primes + (<usize>k << 2));
    const whole = <u64>load<u32>(wholes + (<usize>k << 2));
    const inverse = 1.0 / <f64>prime;
    const run = target + (<usize>k * stride << 3);
    for (let i: u32 = 0; i < count; i++) {
      const y = load<u64>(scratch + (<usize>i << 3));
      const yHigh = y >> 24;
      const yLow = y & low24;
      const fraction = yHigh * restHigh + ((yHigh * restLow + yLow * restHigh) >> 24);
      const residue = modulo(modulo(y, prime, inverse) * whole + fraction, prime, inverse);
      const index = indices == 0 ? i : load<u32>(indices + (<usize>i << 2));
      store<u64>(run + (<usize>index << 3), residue);
    }
  }
  return end;
}

/**
 * Reads `count` coefficients modulo 2^modulusBits at `indices` as signed 32-bit values.
 * @param coefficients u64, `available` of them; those beyond are 0, as SEAL drops leading zeros
 */
export function readSigned(
  coefficients: usize,
  available: u32,
  indices: usize,
  target: usize,
  count: u32,
  modulusBits: u32,
): void {
  const drop = 32 - modulusBits;
  for (let i: u32 = 0; i < count; i++) {
    const index = load<u32>(indices + (<usize>i << 2));
    const value = index < available ? load<u32>(coefficients + (<usize>index << 3)) : 0;
    store<i32>(target + (<usize>i << 2), (<i32>(value << drop)) >> drop);
  }
}

/** Writes signed coefficients as u64 modulo 2^modulusBits. */
export function writeUnsigned(source: usize, target: usize, count: u32, modulusBits: u32): void {
  const mask = <u32>(((<u64>1) << modulusBits) - 1);
  for (let i: u32 = 0; i < count; i++)
    store<u64>(target + (<usize>i << 3), <u64>(load<u32>(source + (<usize>i << 2)) & mask));
}
