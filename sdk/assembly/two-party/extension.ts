// SoftSpokenOT (Roy, CRYPTO 2022) over GF(2^k): subspace VOLE with a repetition code for OTs of two messages and with
// the simplex code [15, 4, 8] for OTs of sixteen (Kolesnikov, Kumaresan, CCS 2013). Semi-honest.
//
// One call does a batch of 2048 OTs, 16 groups. `seeds` holds 2^k seeds of 32 bytes a column; on the sender's side seed
// y of column i is the receiver's seed y ^ delta[i], and seed 0 is unknown (zero). Corrections are bit planes: 16
// vectors a column.
import { hashRow } from './blake3';
import { stretch } from './chacha';
import { transpose } from './planes';
import { choices, codeWords, matrix, partial, rows, stream, sums } from './scratch';

const batchGroups: u32 = 16;
const columnBytes: usize = 256;
const leafColumns: u32 = 15;

@inline
function addColumn(target: usize, source: usize): void {
  for (let at: usize = 0; at < columnBytes; at += 16)
    v128.store(target + at, v128.xor(v128.load(target + at), v128.load(source + at)));
}

/**
 * The VOLE for small fields of the paper: u = sum of the streams, v = sum of x times stream x, as k bit planes. Plane j
 * is the sum of the streams whose number has bit j: pairs are added as a binary counter carries, so every stream is added
 * to about two planes and not to k.
 */
function fold(seeds: usize, columns: u32, k: u32, batch: u32, type: u32, serial: u32): void {
  const second = stream + columnBytes;
  for (let i: u32 = 0; i < columns; i++) {
    const planes = matrix + <usize>(i * k) * columnBytes;
    memory.fill(planes, 0, <usize>k * columnBytes);
    let seed = seeds + ((<usize>i << k) << 5);
    for (let x: u32 = 0; x < <u32>1 << k; x += 2) {
      stretch(seed, stream, batch, type, serial);
      stretch(seed + 32, second, batch, type, serial);
      seed += 64;
      addColumn(planes, second);
      addColumn(second, stream);
      let level: u32 = 1;
      for (let pair = x >> 1; level < k && (pair & 1) !== 0; pair >>= 1, level++) {
        addColumn(planes + <usize>level * columnBytes, second);
        addColumn(second, partial + <usize>level * columnBytes);
      }
      if (level < k) memory.copy(partial + <usize>level * columnBytes, second, columnBytes);
    }
    memory.copy(sums + <usize>i * columnBytes, second, columnBytes);
  }
}

/** Sender: w_i += c_i delta_i for the columns from `first` on. */
function correct(deltas: usize, first: u32, columns: u32, k: u32, corrections: usize): void {
  for (let i = first; i < columns; i++) {
    const delta = load<u32>(deltas + (<usize>i << 2));
    const correction = corrections + <usize>(i - first) * columnBytes;
    for (let j: u32 = 0; j < k; j++) {
      // No branch on a secret.
      const mask = i32x4.splat(-<i32>((delta >> j) & 1));
      const plane = matrix + <usize>(i * k + j) * columnBytes;
      for (let at: usize = 0; at < columnBytes; at += 16)
        v128.store(plane + at, v128.xor(v128.load(plane + at), v128.and(v128.load(correction + at), mask)));
    }
  }
}

/** Rows of one group: 8 words, of which `words` come from the matrix. */
@inline
function takeRows(g: u32, words: u32): void {
  for (let w: u32 = 0; w < words; w++) {
    const word = rows + (<usize>w << 9);
    for (let p: u32 = 0; p < 32; p++)
      v128.store(word + (<usize>p << 4), v128.load(matrix + <usize>(w * 32 + p) * columnBytes + (<usize>g << 4)));
    transpose(word);
  }
}

@inline
function hash(key: usize, b: u32, mask: usize, first: u32, type: u32, serial: u32): v128 {
  const index = i32x4.add(i32x4.splat(first + 4 * b), i32x4(0, 1, 2, 3));
  return hashRow(key, rows + (<usize>b << 4), mask, index, type, serial);
}

@inline
function setDeltaBit(word: usize, position: u32, bit: u32): void {
  const at = word + (<usize>(position >> 5) << 2);
  store<u32>(at, load<u32>(at) | (bit << (position & 31)));
}

function popParity(x: u32): u32 {
  return popcnt<u32>(x) & 1;
}

/** Code word x times delta, for all sixteen x: what the sender adds to a row for message x. */
function leafMasks(deltas: usize, columns: u32, k: u32): void {
  memory.fill(codeWords, 0, 16 * 32);
  for (let x: u32 = 0; x < 16; x++)
    for (let i: u32 = 0; i < columns; i++) {
      const inWord = popParity(x & ((i % leafColumns) + 1));
      const delta = load<u32>(deltas + (<usize>i << 2));
      for (let j: u32 = 0; j < k; j++)
        setDeltaBit(codeWords + (<usize>x << 5), i * k + j, inWord & (delta >> j) & 1);
    }
}

/** Masks of the two messages of a repetition code: nothing and delta. */
function pairMasks(deltas: usize, columns: u32, k: u32): void {
  memory.fill(codeWords, 0, 64);
  for (let i: u32 = 0; i < columns; i++) {
    const delta = load<u32>(deltas + (<usize>i << 2));
    for (let j: u32 = 0; j < k; j++) setDeltaBit(codeWords + 32, i * k + j, (delta >> j) & 1);
  }
}

/** Puts bit `bit` of every value of vector b into a plane. */
@inline
function collect(plane: v128, value: v128, bit: i32, b: u32): v128 {
  return v128.or(plane, i32x4.shl(v128.and(i32x4.shr_u(value, bit), i32x4.splat(1)), b));
}

/**
 * Receiver of 1-of-16 OTs whose choice is `width` bits of its own values.
 * @param choicePlanes planes of the values of this batch, from the lowest bit of the choice on
 * @param pads two planes a group: bits 0 and 1 of the hash; `secondPads`: bits 2 and 3, or 0 for none
 */
export function receiveLeaves(
  seeds: usize,
  columns: u32,
  k: u32,
  key: usize,
  batch: u32,
  type: u32,
  serial: u32,
  choicePlanes: usize,
  width: u32,
  corrections: usize,
  pads: usize,
  secondPads: usize,
): void {
  fold(seeds, columns, k, batch, type, serial);
  memory.fill(choices, 0, 16 * columnBytes);
  for (let bit: u32 = 0; bit < width; bit++)
    for (let g: u32 = 0; g < batchGroups; g++)
      v128.store(
        choices + (<usize>1 << bit) * columnBytes + (<usize>g << 4),
        v128.load(choicePlanes + (<usize>g << 9) + (<usize>bit << 4)),
      );
  for (let h: u32 = 3; h < 16; h++) {
    const rest = h & (h - 1);
    if (rest === 0) continue;
    addColumn(choices + <usize>h * columnBytes, choices + <usize>rest * columnBytes);
    addColumn(choices + <usize>h * columnBytes, choices + <usize>(h ^ rest) * columnBytes);
  }
  memory.copy(corrections, sums, <usize>columns * columnBytes);
  for (let i: u32 = 0; i < columns; i++)
    addColumn(corrections + <usize>i * columnBytes, choices + <usize>((i % leafColumns) + 1) * columnBytes);
  memory.fill(codeWords, 0, 32);
  for (let g: u32 = 0; g < batchGroups; g++) {
    takeRows(g, 8);
    let p0 = i32x4.splat(0);
    let p1 = p0;
    let p2 = p0;
    let p3 = p0;
    for (let b: u32 = 0; b < 32; b++) {
      const value = hash(key, b, codeWords, (batch * batchGroups + g) << 7, type, serial);
      p0 = collect(p0, value, 0, b);
      p1 = collect(p1, value, 1, b);
      p2 = collect(p2, value, 2, b);
      p3 = collect(p3, value, 3, b);
    }
    const at = <usize>g << 5;
    v128.store(pads + at, p0);
    v128.store(pads + at, p1, 16);
    if (secondPads !== 0) {
      v128.store(secondPads + at, p2);
      v128.store(secondPads + at, p3, 16);
    }
  }
}

/**
 * Sender of the same OTs.
 * @param bits 1 or 2: how much of every message is used
 * @param pads one word a value: message x at bits [x * bits, (x + 1) * bits); `secondPads`: the same of hash bits 2 and
 *   3, or 0 for none
 */
export function sendLeaves(
  seeds: usize,
  deltas: usize,
  columns: u32,
  k: u32,
  key: usize,
  batch: u32,
  type: u32,
  serial: u32,
  width: u32,
  bits: u32,
  corrections: usize,
  pads: usize,
  secondPads: usize,
): void {
  fold(seeds, columns, k, batch, type, serial);
  correct(deltas, 0, columns, k, corrections);
  leafMasks(deltas, columns, k);
  const used = i32x4.splat((1 << bits) - 1);
  for (let g: u32 = 0; g < batchGroups; g++) {
    takeRows(g, 8);
    for (let b: u32 = 0; b < 32; b++) {
      let all = i32x4.splat(0);
      let second = all;
      for (let x: u32 = 0; x < <u32>1 << width; x++) {
        const mask = codeWords + (<usize>x << 5);
        const value = hash(key, b, mask, (batch * batchGroups + g) << 7, type, serial);
        all = v128.or(all, i32x4.shl(v128.and(value, used), x * bits));
        second = v128.or(second, i32x4.shl(v128.and(i32x4.shr_u(value, 2), used), x * bits));
      }
      const at = ((<usize>g << 5) + b) << 4;
      v128.store(pads + at, all);
      if (secondPads !== 0) v128.store(secondPads + at, second);
    }
  }
}

/**
 * Receiver of 1-of-2 OTs.
 * @param chosen 1: `choice` (one plane a group) is what the receiver chooses; 0: a random choice is written there, and
 *   the first column needs no correction
 * @param words 1: `target` gets one word a value; 0: two planes a group
 */
export function receivePairs(
  seeds: usize,
  columns: u32,
  k: u32,
  key: usize,
  batch: u32,
  type: u32,
  serial: u32,
  chosen: u32,
  words: u32,
  choice: usize,
  corrections: usize,
  target: usize,
): void {
  fold(seeds, columns, k, batch, type, serial);
  if (chosen === 0) memory.copy(choice, sums, columnBytes);
  const first: u32 = chosen ? 0 : 1;
  for (let i = first; i < columns; i++) {
    const correction = corrections + <usize>(i - first) * columnBytes;
    memory.copy(correction, sums + <usize>i * columnBytes, columnBytes);
    addColumn(correction, choice);
  }
  memory.fill(codeWords, 0, 32);
  memory.fill(rows + 4 * 512, 0, 4 * 512);
  for (let g: u32 = 0; g < batchGroups; g++) {
    takeRows(g, 4);
    let p0 = i32x4.splat(0);
    let p1 = p0;
    for (let b: u32 = 0; b < 32; b++) {
      const value = hash(key, b, codeWords, (batch * batchGroups + g) << 7, type, serial);
      if (words) v128.store(target + (((<usize>g << 5) + b) << 4), value);
      p0 = collect(p0, value, 0, b);
      p1 = collect(p1, value, 1, b);
    }
    if (words === 0) {
      v128.store(target + (<usize>g << 5), p0);
      v128.store(target + (<usize>g << 5), p1, 16);
    }
  }
}

/**
 * Sender of the same OTs.
 * @param words 1: `zero` gets message 0 and `difference` message 1 minus message 0, one word a value; 0: message 0 and
 *   the XOR of both, two planes a group
 */
export function sendPairs(
  seeds: usize,
  deltas: usize,
  columns: u32,
  k: u32,
  key: usize,
  batch: u32,
  type: u32,
  serial: u32,
  chosen: u32,
  words: u32,
  corrections: usize,
  zero: usize,
  difference: usize,
): void {
  fold(seeds, columns, k, batch, type, serial);
  correct(deltas, chosen ? 0 : 1, columns, k, corrections);
  pairMasks(deltas, columns, k);
  memory.fill(rows + 4 * 512, 0, 4 * 512);
  for (let g: u32 = 0; g < batchGroups; g++) {
    takeRows(g, 4);
    let p0 = i32x4.splat(0);
    let p1 = p0;
    let d0 = p0;
    let d1 = p0;
    for (let b: u32 = 0; b < 32; b++) {
      const first = (batch * batchGroups + g) << 7;
      const m0 = hash(key, b, codeWords, first, type, serial);
      const m1 = hash(key, b, codeWords + 32, first, type, serial);
      if (words) {
        const at = ((<usize>g << 5) + b) << 4;
        v128.store(zero + at, m0);
        v128.store(difference + at, i32x4.sub(m1, m0));
      } else {
        const both = v128.xor(m0, m1);
        p0 = collect(p0, m0, 0, b);
        p1 = collect(p1, m0, 1, b);
        d0 = collect(d0, both, 0, b);
        d1 = collect(d1, both, 1, b);
      }
    }
    if (words === 0) {
      const at = <usize>g << 5;
      v128.store(zero + at, p0);
      v128.store(zero + at, p1, 16);
      v128.store(difference + at, d0);
      v128.store(difference + at, d1, 16);
    }
  }
}

/** For the tests: four blocks of the stream of one seed. */
export function stretchSeed(key: usize, target: usize, batch: u32, type: u32, serial: u32): void {
  stretch(key, target, batch, type, serial);
}

/** For the tests: the first word of the hash of four rows, given as {@link hashRow} takes them. */
export function hashFour(key: usize, row: usize, mask: usize, target: usize, first: u32, type: u32, serial: u32): void {
  const index = i32x4.add(i32x4.splat(first), i32x4(0, 1, 2, 3));
  v128.store(target, hashRow(key, row, mask, index, type, serial));
}
