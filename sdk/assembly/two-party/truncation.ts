// Exact truncation of a shared value, y = u + r modulo 2^l with y >= 0:
//   y >> s = [(u >> s) - 2^(l-s) u_m] + [(r >> s) - 2^(l-s) r_m] + carry + 2^(l-s) u_m r_m
// with u_m, r_m the top bits and the carry of the low s bits (SIRNN, IEEE S&P 2021, section on truncation).
import { bitOf, packGroup, spread, unpackGroup } from './planes';
import { group } from './scratch';

/** Client: u_m - difference, `bits` bits a value. @returns the address after the message */
export function openTopProduct(
  shares: usize,
  accumulatorBits: u32,
  difference: usize,
  message: usize,
  bits: u32,
  groups: u32,
): usize {
  const one = i32x4.splat(1);
  for (let g: u32 = 0; g < groups; g++) {
    for (let b: usize = 0; b < 512; b += 16) {
      const at = (<usize>g << 9) + b;
      const top = v128.and(i32x4.shr_u(v128.load(shares + at), accumulatorBits - 1), one);
      v128.store(group + b, i32x4.sub(top, v128.load(difference + at)));
    }
    message = packGroup(group, message, bits);
  }
  return message;
}

/** Client: its part of y >> s without the carry. `zero`: message 0 of the OTs whose choice is r_m. */
export function truncateClient(
  shares: usize,
  accumulatorBits: u32,
  shift: u32,
  zero: usize,
  target: usize,
  groups: u32,
): void {
  for (let at: usize = 0; at < <usize>groups << 9; at += 16) {
    const u = v128.load(shares + at);
    const top = v128.and(i32x4.shr_u(u, accumulatorBits - 1), i32x4.splat(1));
    const high = i32x4.shl(i32x4.add(top, v128.load(zero + at)), accumulatorBits - shift);
    v128.store(target + at, i32x4.sub(i32x4.shr_u(u, shift), high));
  }
}

/** Host: the same. `received`: what its OTs gave. @returns the address after the message */
export function truncateHost(
  shares: usize,
  accumulatorBits: u32,
  shift: u32,
  received: usize,
  message: usize,
  bits: u32,
  target: usize,
  groups: u32,
): usize {
  for (let g: u32 = 0; g < groups; g++) {
    message = unpackGroup(message, group, bits);
    for (let b: usize = 0; b < 512; b += 16) {
      const at = (<usize>g << 9) + b;
      const r = v128.load(shares + at);
      const top = v128.and(i32x4.shr_u(r, accumulatorBits - 1), i32x4.splat(1));
      const both = i32x4.add(v128.load(received + at), v128.and(i32x4.neg(top), v128.load(group + b)));
      const high = i32x4.shl(i32x4.sub(both, top), accumulatorBits - shift);
      v128.store(target + at, i32x4.add(i32x4.shr_u(r, shift), high));
    }
  }
  return message;
}

/** Either side: its part of y >> s without the carry, modulo 2^(l - s). */
export function shiftShares(shares: usize, shift: u32, target: usize, groups: u32): void {
  for (let at: usize = 0; at < <usize>groups << 9; at += 16) {
    v128.store(target + at, i32x4.shr_u(v128.load(shares + at), shift));
  }
}

/** Client: carry share - difference, `bits` bits a value. @returns the address after the message */
export function openCarry(carry: usize, difference: usize, message: usize, bits: u32, groups: u32): usize {
  for (let g: u32 = 0; g < groups; g++) {
    const plane = v128.load(carry + (<usize>g << 4));
    for (let b = 0; b < 32; b++) {
      const at = <usize>b << 4;
      v128.store(group + at, i32x4.sub(bitOf(plane, b), v128.load(difference + (<usize>g << 9) + at)));
    }
    message = packGroup(group, message, bits);
  }
  return message;
}

/**
 * Host: adds its share of the carry as a number, c_C + c_S - 2 c_C c_S, to `target`, and writes carry ^ choice to
 * `answer`, one plane a group. @returns the address after the message read
 */
export function closeCarryHost(
  carry: usize,
  choice: usize,
  received: usize,
  message: usize,
  bits: u32,
  answer: usize,
  target: usize,
  groups: u32,
): usize {
  for (let g: u32 = 0; g < groups; g++) {
    message = unpackGroup(message, group, bits);
    const c = v128.load(carry + (<usize>g << 4));
    const beta = v128.load(choice + (<usize>g << 4));
    const delta = v128.xor(c, beta);
    v128.store(answer + (<usize>g << 4), delta);
    for (let b = 0; b < 32; b++) {
      const at = (<usize>g << 9) + (<usize>b << 4);
      const sum = i32x4.add(
        v128.and(spread(beta, b), v128.load(group + (<usize>b << 4))),
        v128.load(received + at),
      );
      const flip = spread(delta, b);
      const share = i32x4.sub(v128.xor(sum, flip), flip);
      const value = i32x4.sub(bitOf(c, b), i32x4.shl(share, 1));
      v128.store(target + at, i32x4.add(v128.load(target + at), value));
    }
  }
  return message;
}

/** Client: the same, from the host's answer. */
export function closeCarryClient(carry: usize, zero: usize, answer: usize, target: usize, groups: u32): void {
  for (let g: u32 = 0; g < groups; g++) {
    const c = v128.load(carry + (<usize>g << 4));
    const delta = v128.load(answer + (<usize>g << 4));
    for (let b = 0; b < 32; b++) {
      const at = (<usize>g << 9) + (<usize>b << 4);
      const m0 = v128.load(zero + at);
      const bit = bitOf(c, b);
      const flipped = v128.and(spread(delta, b), i32x4.add(bit, i32x4.shl(m0, 1)));
      const share = i32x4.sub(flipped, m0);
      v128.store(target + at, i32x4.add(v128.load(target + at), i32x4.sub(bit, i32x4.shl(share, 1))));
    }
  }
}
