// Product of a shared bit d and a shared number a: d a = d a_C + d a_S. For each term one side is OT sender with its
// part of a, the other receiver with its part of d under a random choice, so both messages can leave at once.
import { packGroup, spread, unpackGroup } from './planes';
import { otherGroup } from './scratch';

/** -x in the lanes where `mask` is all ones. */
@inline
function negateWhere(x: v128, mask: v128): v128 {
  return i32x4.sub(v128.xor(x, mask), mask);
}

/** Share of "y is not negative": carry ^ top bit of (share - subtract) ^ invert, one plane a group. */
export function signPlane(
  shares: usize,
  subtract: u32,
  accumulatorBits: u32,
  carry: usize,
  invert: u32,
  target: usize,
  groups: u32,
): void {
  for (let g: u32 = 0; g < groups; g++) {
    let plane = v128.xor(v128.load(carry + (<usize>g << 4)), i32x4.splat(-<i32>invert));
    for (let b = 0; b < 32; b++) {
      const share = i32x4.sub(v128.load(shares + (<usize>g << 9) + (<usize>b << 4)), i32x4.splat(subtract));
      const top = v128.and(i32x4.shr_u(share, accumulatorBits - 1), i32x4.splat(1));
      plane = v128.xor(plane, i32x4.shl(top, b));
    }
    v128.store(target + (<usize>g << 4), plane);
  }
}

/**
 * Writes bit ^ choice, one plane a group, then (1 - 2 bit)(number - subtract) - difference, `bits` bits a value.
 * @returns the address after the message
 */
export function openProduct(
  bit: usize,
  choice: usize,
  number: usize,
  subtract: u32,
  difference: usize,
  message: usize,
  bits: u32,
  groups: u32,
): usize {
  let values = message + (<usize>groups << 4);
  for (let g: u32 = 0; g < groups; g++) {
    const d = v128.load(bit + (<usize>g << 4));
    v128.store(message + (<usize>g << 4), v128.xor(d, v128.load(choice + (<usize>g << 4))));
    for (let b = 0; b < 32; b++) {
      const at = (<usize>g << 9) + (<usize>b << 4);
      const a = i32x4.sub(v128.load(number + at), i32x4.splat(subtract));
      v128.store(otherGroup + (<usize>b << 4), i32x4.sub(negateWhere(a, spread(d, b)), v128.load(difference + at)));
    }
    values = packGroup(otherGroup, values, bits);
  }
  return values;
}

/**
 * Adds this side's share of the product to `target` (takes it off where `minus` is 1), modulo 2^bits.
 * @param zero message 0 of the OTs in which this side sends
 * @param received what the OTs gave in which it receives, with `choice`
 * @param message the other side's {@link openProduct}
 * @returns the address after the message
 */
export function closeProduct(
  bit: usize,
  choice: usize,
  number: usize,
  subtract: u32,
  zero: usize,
  received: usize,
  message: usize,
  bits: u32,
  minus: u32,
  target: usize,
  groups: u32,
): usize {
  let values = message + (<usize>groups << 4);
  const kept = i32x4.splat(bits === 32 ? -1 : (1 << bits) - 1);
  const sign = i32x4.splat(-<i32>minus);
  for (let g: u32 = 0; g < groups; g++) {
    values = unpackGroup(values, otherGroup, bits);
    const d = v128.load(bit + (<usize>g << 4));
    const theirs = v128.load(message + (<usize>g << 4));
    const beta = v128.load(choice + (<usize>g << 4));
    for (let b = 0; b < 32; b++) {
      const at = (<usize>g << 9) + (<usize>b << 4);
      const a = i32x4.sub(v128.load(number + at), i32x4.splat(subtract));
      const mine = spread(d, b);
      const m0 = v128.load(zero + at);
      // As sender: d_mine a - m0, or with the other's choice turned round a (1 - 2 d) + m0 more.
      const flipped = v128.and(
        spread(theirs, b),
        i32x4.add(negateWhere(a, mine), i32x4.shl(m0, 1)),
      );
      const sent = i32x4.add(v128.and(a, mine), i32x4.sub(flipped, m0));
      const taken = i32x4.add(
        v128.and(spread(beta, b), v128.load(otherGroup + (<usize>b << 4))),
        v128.load(received + at),
      );
      const got = negateWhere(taken, v128.xor(mine, spread(beta, b)));
      const share = negateWhere(i32x4.add(sent, got), sign);
      v128.store(target + at, v128.and(i32x4.add(v128.load(target + at), share), kept));
    }
  }
  return values;
}
