// What private mode adds to a reply after the inverse NTT: an encryption of zero, the flood and the message that masks
// it. Residues are those that `roundPolynomial` takes, x * (q/p)^-1 mod p, so what is added is multiplied with that too.
import { multiplyShoup, polynomialBytes, PrimeTable, reduceOnce } from './modular';

/**
 * target += scale * source mod p, N residues.
 * @param scaleQuotient floor(2^32 * scale / p)
 */
export function addScaled(target: usize, source: usize, table: PrimeTable, scale: u32, scaleQuotient: u32): void {
  const p = i32x4.splat(table.prime);
  const p2 = i32x4.splat(2 * table.prime);
  const factor = i32x4.splat(scale);
  const quotient = i32x4.splat(scaleQuotient);
  for (let at: usize = 0; at < polynomialBytes; at += 16) {
    const sum = i32x4.add(v128.load(target + at), multiplyShoup(v128.load(source + at), factor, quotient, p));
    v128.store(target + at, reduceOnce(reduceOnce(sum, p2), p));
  }
}

/**
 * target[indices[k]] += scale * (flood[k] - 2^(floodBits - 1) + round(q * message[k] / t)) mod p.
 *
 * With rem = q * m mod t, centred, round(q * m / t) = (q * m - rem) / t, which is -rem / t modulo p.
 * @param floods 96 uniform bits each, of which the lowest floodBits (65..96) count
 * @param messages u32 modulo t
 * @param messageScale t^-1 * scale mod p
 * @param modulusRest q mod t
 */
export function addMasks(
  target: usize,
  indices: usize,
  count: u32,
  floods: usize,
  messages: usize,
  table: PrimeTable,
  scale: u32,
  messageScale: u32,
  modulusRest: u32,
  plainModulusBits: u32,
  floodBits: u32,
): void {
  const p = <u64>table.prime;
  const word = <u64>table.word;
  const plainMask = ((<u64>1) << plainModulusBits) - 1;
  const plainHalf = (<u64>1) << (plainModulusBits - 1);
  const highMask = ((<u64>1) << (floodBits - 64)) - 1;
  // 2^(floodBits - 1) mod p, negated
  const centre = p - (((word * word) % p) * (((<u64>1) << (floodBits - 65)) % p)) % p;
  for (let k: usize = 0; k < <usize>count; k++) {
    const flood = floods + k * 12;
    const high = (<u64>load<u32>(flood, 8) & highMask) % p;
    const middle = ((high << 32) | <u64>load<u32>(flood, 4)) % p;
    const low = ((middle << 32) | <u64>load<u32>(flood)) % p;
    const rest = ((<u64>load<u32>(messages + (k << 2))) * modulusRest) & plainMask;
    // -rest centred: -rest up to t/2, else t - rest; both are below p in size
    const message = rest <= plainHalf ? p - rest : plainMask + 1 - rest;
    const added = ((low + centre) % p) * scale + (message % p) * messageScale;
    const at = target + (<usize>load<u32>(indices + (k << 2)) << 2);
    store<u32>(at, <u32>((<u64>load<u32>(at) + added) % p));
  }
}
