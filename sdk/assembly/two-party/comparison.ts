// Comparison r > v, v = ~u, of the host's share r with the client's share u: leaves on digits of at most four bits, then
// AND triples (SIRNN, IEEE S&P 2021, section on comparison; CrypTFlow2, CCS 2020). Every signal is shared as a XOR: one
// plane for "greater", one for "equal".
import { bitOf } from './planes';
import { tables } from './scratch';

/** Fills the table of a leaf: row v holds for every x whether x > v (bit 2x) and x = v (bit 2x + 1). */
export function prepareTables(): void {
  for (let v: u32 = 0; v < 16; v++) {
    let both: u32 = 0;
    let greater: u32 = 0;
    for (let x: u32 = 0; x < 16; x++) {
      if (x > v) {
        both |= 1 << (2 * x);
        greater |= 1 << x;
      }
      if (x === v) both |= 2 << (2 * x);
    }
    store<u32>(tables + (<usize>v << 2), both);
    store<u32>(tables + 64 + (<usize>v << 2), greater);
  }
}

/** Row of a table for the value in one lane. Both tables lie in one cache line each, so the address tells nothing. */
@inline
function lookUp(table: usize, value: u32): u32 {
  return load<u32>(table + (<usize>value << 2));
}

/**
 * Client: masked tables of one digit of ~(shares - subtract).
 * @param lowest 1: only "greater" is needed, one bit an entry
 * @param wide 1: a word a value travels; 0: 16 bits, two values a word
 * @returns the address after the message
 */
export function writeTables(
  shares: usize,
  subtract: u32,
  offset: u32,
  width: u32,
  lowest: u32,
  wide: u32,
  pads: usize,
  message: usize,
  greater: usize,
  equal: usize,
  groups: u32,
): usize {
  const table = lowest ? tables + 64 : tables;
  const digit = i32x4.splat((1 << width) - 1);
  const one = i32x4.splat(1);
  // A digit narrower than its table has entries that no pad covers: they must not leave, they would tell the share.
  const entryBits: u32 = <u32>(lowest ? 1 : 2) << width;
  const used = i32x4.splat(entryBits < 32 ? (1 << entryBits) - 1 : -1);
  for (let g: u32 = 0; g < groups; g++) {
    let greaterPlane = i32x4.splat(0);
    let equalPlane = greaterPlane;
    let previous = greaterPlane;
    for (let b: u32 = 0; b < 32; b++) {
      const at = ((<usize>g << 5) + b) << 4;
      const share = i32x4.sub(v128.load(shares + at), i32x4.splat(subtract));
      const v = v128.and(i32x4.shr_u(v128.not(share), offset), digit);
      let row = i32x4.splat(lookUp(table, i32x4.extract_lane(v, 0)));
      row = i32x4.replace_lane(row, 1, lookUp(table, i32x4.extract_lane(v, 1)));
      row = i32x4.replace_lane(row, 2, lookUp(table, i32x4.extract_lane(v, 2)));
      row = i32x4.replace_lane(row, 3, lookUp(table, i32x4.extract_lane(v, 3)));
      row = v128.xor(row, v128.load(pads + at));
      // The client's share is what the masked table has at x = 0, taken off every entry: fresh, because the pad is.
      const g0 = v128.and(row, one);
      greaterPlane = v128.or(greaterPlane, i32x4.shl(g0, b));
      if (lowest) row = v128.xor(row, i32x4.neg(g0));
      else {
        const e0 = v128.and(i32x4.shr_u(row, 1), one);
        equalPlane = v128.or(equalPlane, i32x4.shl(e0, b));
        row = v128.xor(row, i32x4.mul(v128.and(row, i32x4.splat(3)), i32x4.splat(0x55555555)));
      }
      row = v128.and(row, used);
      if (wide) {
        v128.store(message, row);
        message += 16;
      } else if (b & 1) {
        v128.store(message, v128.or(previous, i32x4.shl(row, 16)));
        message += 16;
      } else previous = row;
    }
    v128.store(greater + (<usize>g << 4), greaterPlane);
    v128.store(equal + (<usize>g << 4), equalPlane);
  }
  return message;
}

/** Host: its shares of the same digit. @returns the address after the message */
export function readTables(
  shares: usize,
  offset: u32,
  width: u32,
  lowest: u32,
  wide: u32,
  pads: usize,
  message: usize,
  greater: usize,
  equal: usize,
  groups: u32,
): usize {
  const low = i32x4.splat(0xffff);
  const entry: i32 = lowest ? 1 : 2;
  for (let g: u32 = 0; g < groups; g++) {
    let greaterPlane = i32x4.splat(0);
    let equalPlane = greaterPlane;
    let pair = greaterPlane;
    for (let b: u32 = 0; b < 32; b++) {
      let row: v128;
      if (wide) {
        row = v128.load(message);
        message += 16;
      } else if (b & 1) row = i32x4.shr_u(pair, 16);
      else {
        pair = v128.load(message);
        message += 16;
        row = v128.and(pair, low);
      }
      const digit = i32x4.shr_u(v128.load(shares + (((<usize>g << 5) + b) << 4)), offset);
      // Entry x of the row, by halves: no address and no branch depends on the digit.
      for (let j = <i32>width - 1; j >= 0; j--) {
        const upper = i32x4.neg(v128.and(i32x4.shr_u(digit, j), i32x4.splat(1)));
        row = v128.bitselect(i32x4.shr_u(row, entry << j), row, upper);
      }
      greaterPlane = v128.or(greaterPlane, i32x4.shl(bitOf(row, 0), b));
      equalPlane = v128.or(equalPlane, i32x4.shl(bitOf(row, 1), b));
    }
    const at = <usize>g << 4;
    v128.store(greater + at, v128.xor(greaterPlane, v128.load(pads + 2 * at)));
    v128.store(equal + at, v128.xor(equalPlane, v128.load(pads + 2 * at, 16)));
  }
  return message;
}

/** One way of the triples: c ^= other ^ (a & b), for both products of a triple. */
export function finishTriples(a: usize, b: usize, c: usize, other: usize, groups: u32): void {
  for (let at: usize = 0; at < <usize>groups << 5; at += 16) {
    const product = v128.and(v128.load(a + ((at >> 5) << 4)), v128.load(b + at));
    v128.store(c + at, v128.xor(v128.load(c + at), v128.xor(v128.load(other + at), product)));
  }
}

/**
 * Masks the inputs of a node with its triple: "equal" of the upper half, "greater" of the lower, and where the node also
 * gives "equal" (`lowEqual` not 0) that of the lower. One plane a group each. @returns the address after the message
 */
export function openNode(
  highEqual: usize,
  lowGreater: usize,
  lowEqual: usize,
  a: usize,
  b: usize,
  message: usize,
  groups: u32,
): usize {
  const run = <usize>groups << 4;
  for (let at: usize = 0; at < run; at += 16) {
    v128.store(message + at, v128.xor(v128.load(highEqual + at), v128.load(a + at)));
    v128.store(message + run + at, v128.xor(v128.load(lowGreater + at), v128.load(b + 2 * at)));
    if (lowEqual !== 0)
      v128.store(message + 2 * run + at, v128.xor(v128.load(lowEqual + at), v128.load(b + 2 * at, 16)));
  }
  return message + (lowEqual !== 0 ? 3 : 2) * run;
}

/**
 * The node's shares, from the other side's {@link openNode}: greater = high greater ^ (high equal & low greater), equal =
 * high equal & low equal. @param first 1 on the one side that adds the public product, else 0
 */
export function closeNode(
  highGreater: usize,
  highEqual: usize,
  lowGreater: usize,
  lowEqual: usize,
  a: usize,
  b: usize,
  c: usize,
  first: u32,
  message: usize,
  greater: usize,
  equal: usize,
  groups: u32,
): usize {
  const run = <usize>groups << 4;
  const mine = i32x4.splat(-<i32>first);
  for (let at: usize = 0; at < run; at += 16) {
    const a0 = v128.load(a + at);
    const b0 = v128.load(b + 2 * at);
    const e = v128.xor(v128.load(message + at), v128.xor(v128.load(highEqual + at), a0));
    const f = v128.xor(v128.load(message + run + at), v128.xor(v128.load(lowGreater + at), b0));
    const share = product(e, f, a0, b0, v128.load(c + 2 * at), mine);
    v128.store(greater + at, v128.xor(v128.load(highGreater + at), share));
    if (lowEqual !== 0) {
      const b1 = v128.load(b + 2 * at, 16);
      const h = v128.xor(v128.load(message + 2 * run + at), v128.xor(v128.load(lowEqual + at), b1));
      v128.store(equal + at, product(e, h, a0, b1, v128.load(c + 2 * at, 16), mine));
    }
  }
  return message + (lowEqual !== 0 ? 3 : 2) * run;
}

@inline
function product(e: v128, f: v128, a: v128, b: v128, c: v128, mine: v128): v128 {
  return v128.xor(
    v128.xor(v128.and(v128.and(e, f), mine), v128.and(e, b)),
    v128.xor(v128.and(f, a), c),
  );
}
