// BLAKE2Xb as SEAL's generator uses it: block c of the stream is the 4096-byte extendable output of the 8-byte counter
// c, little endian, under the 64-byte seed as key. BLAKE2b: RFC 7693; BLAKE2X: J.-P. Aumasson, S. Neves,
// Z. Wilcox-O'Hearn, C. Winnerlein, "BLAKE2X" (2016), section 2. The seed is public: nothing here has to be constant in
// time. Two hashes run side by side, one in each 64-bit lane.

/** Bytes of one block of the stream. */
export const streamBlockBytes: u32 = 4096;

const digestBytes: u32 = 64;
const keyBytes: u32 = 64;

// RFC 7693, section 2.6
const initial = memory.data<u64>([
  0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1, 0x510e527fade682d1,
  0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179,
]);

// RFC 7693, section 2.7; rounds 10 and 11 repeat rounds 0 and 1.
const sigma = memory.data<u8>([
  0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3, 11, 8,
  12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4, 7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8, 9, 0, 5, 7, 2,
  4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13, 2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9, 12, 5, 1, 15, 14, 13,
  4, 10, 0, 7, 6, 3, 9, 2, 8, 11, 13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10, 6, 15, 14, 9, 11, 3, 0, 8, 12,
  2, 13, 7, 1, 4, 10, 5, 10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11,
  12, 13, 14, 15, 14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3,
]);

const rounds: u32 = 12;
/** Message words of all rounds in order of use, two lanes each. */
const schedule = memory.data(12 * 16 * 16, 16);
/** The sixteen words of a message block, two lanes each. */
const message = memory.data(16 * 16, 16);
/** Chaining values, two lanes each: the root hash after its key block, and the hash at work. */
const keyed = memory.data(8 * 16, 16);
const state = memory.data(8 * 16, 16);

/** Reads the 64-byte seed; every later {@link fillBlocks} belongs to it. */
export function keyStream(seed: usize): void {
  startHash(digestBytes | (keyBytes << 8) | 0x01010000, <u64>streamBlockBytes << 32, <u64>streamBlockBytes << 32, 0);
  for (let i: usize = 0; i < 16; i++)
    v128.store(message + (i << 4), i < 8 ? v128.load64_splat(seed + (i << 3)) : i64x2.splat(0));
  scheduleMessage();
  compress(128, 0);
  memory.copy(keyed, state, 128);
}

/** Writes blocks `counter`, `counter + 1`, ... of the stream. */
export function fillBlocks(counter: u64, blocks: u32, target: usize): void {
  for (let block: u32 = 0; block < blocks; block++) {
    const root = rootHash(counter + block);
    expandRoot(root, target + <usize>block * streamBlockBytes);
  }
}

/** @returns the address of the eight words of the root hash, two equal lanes each */
function rootHash(counter: u64): usize {
  memory.copy(state, keyed, 128);
  memory.fill(message, 0, 256);
  v128.store(message, i64x2.splat(counter));
  scheduleMessage();
  compress(136, -1);
  return state;
}

/** Hashes the root hash under the node offsets 0..63, 64 bytes each. */
function expandRoot(root: usize, target: usize): void {
  memory.copy(message, root, 128);
  memory.fill(message + 128, 0, 128);
  scheduleMessage();
  // digest 64, no key, fanout 0, depth 0, leaf length 64; then node depth 0, inner length 64
  const parameters = <u64>digestBytes | (<u64>digestBytes << 32);
  const length = <u64>streamBlockBytes << 32;
  for (let node: u64 = 0; node < 64; node += 2) {
    startHash(parameters, length | node, length | (node + 1), <u64>digestBytes << 8);
    compress(64, -1);
    for (let i: usize = 0; i < 8; i += 2) {
      const even = v128.load(state + (i << 4));
      const odd = v128.load(state + (i << 4), 16);
      v128.store(target + (i << 3), i64x2.shuffle(even, odd, 0, 2));
      v128.store(target + (i << 3), i64x2.shuffle(even, odd, 1, 3), 64);
    }
    target += 128;
  }
}

/** Starts both lanes from their parameter blocks (words 0, 1 and 2; the rest is 0). */
function startHash(word0: u64, word1Even: u64, word1Odd: u64, word2: u64): void {
  for (let i: usize = 0; i < 8; i++) v128.store(state + (i << 4), v128.load64_splat(initial + (i << 3)));
  v128.store(state, v128.xor(v128.load(state), i64x2.splat(word0)));
  const word1 = i64x2.replace_lane(i64x2.splat(word1Even), 1, word1Odd);
  v128.store(state, v128.xor(v128.load(state, 16), word1), 16);
  v128.store(state, v128.xor(v128.load(state, 32), i64x2.splat(word2)), 32);
}

function scheduleMessage(): void {
  for (let i: usize = 0; i < 192; i++)
    v128.store(schedule + (i << 4), v128.load(message + (<usize>load<u8>(sigma + i) << 4)));
}

function mix(a: v128, b: v128, word: v128): v128 {
  return i64x2.add(i64x2.add(a, b), word);
}

function turn32(d: v128, a: v128): v128 {
  const x = v128.xor(d, a);
  return i32x4.shuffle(x, x, 1, 0, 3, 2);
}

// By shifts: engines build the mask of a byte shuffle anew each time.
function turn24(b: v128, c: v128): v128 {
  const x = v128.xor(b, c);
  return v128.or(i64x2.shr_u(x, 24), i64x2.shl(x, 40));
}

function turn16(d: v128, a: v128): v128 {
  const x = v128.xor(d, a);
  return i16x8.shuffle(x, x, 1, 2, 3, 0, 5, 6, 7, 4);
}

function turn63(b: v128, c: v128): v128 {
  const x = v128.xor(b, c);
  return v128.or(i64x2.add(x, x), i64x2.shr_u(x, 63));
}

/**
 * RFC 7693, section 3.2, on both lanes of {@link state} with the message in {@link schedule}.
 * @param length bytes hashed so far, this block included
 * @param last -1 for the last block, else 0
 */
function compress(length: u64, last: u64): void {
  let v0 = v128.load(state);
  let v1 = v128.load(state, 16);
  let v2 = v128.load(state, 32);
  let v3 = v128.load(state, 48);
  let v4 = v128.load(state, 64);
  let v5 = v128.load(state, 80);
  let v6 = v128.load(state, 96);
  let v7 = v128.load(state, 112);
  let v8 = v128.load64_splat(initial);
  let v9 = v128.load64_splat(initial, 8);
  let v10 = v128.load64_splat(initial, 16);
  let v11 = v128.load64_splat(initial, 24);
  let v12 = i64x2.splat(load<u64>(initial, 32) ^ length);
  let v13 = v128.load64_splat(initial, 40);
  let v14 = i64x2.splat(load<u64>(initial, 48) ^ last);
  let v15 = v128.load64_splat(initial, 56);
  let m = schedule;
  for (let round: u32 = 0; round < rounds; round++) {
    v0 = mix(v0, v4, v128.load(m));
    v12 = turn32(v12, v0);
    v8 = i64x2.add(v8, v12);
    v4 = turn24(v4, v8);
    v0 = mix(v0, v4, v128.load(m, 16));
    v12 = turn16(v12, v0);
    v8 = i64x2.add(v8, v12);
    v4 = turn63(v4, v8);
    v1 = mix(v1, v5, v128.load(m, 32));
    v13 = turn32(v13, v1);
    v9 = i64x2.add(v9, v13);
    v5 = turn24(v5, v9);
    v1 = mix(v1, v5, v128.load(m, 48));
    v13 = turn16(v13, v1);
    v9 = i64x2.add(v9, v13);
    v5 = turn63(v5, v9);
    v2 = mix(v2, v6, v128.load(m, 64));
    v14 = turn32(v14, v2);
    v10 = i64x2.add(v10, v14);
    v6 = turn24(v6, v10);
    v2 = mix(v2, v6, v128.load(m, 80));
    v14 = turn16(v14, v2);
    v10 = i64x2.add(v10, v14);
    v6 = turn63(v6, v10);
    v3 = mix(v3, v7, v128.load(m, 96));
    v15 = turn32(v15, v3);
    v11 = i64x2.add(v11, v15);
    v7 = turn24(v7, v11);
    v3 = mix(v3, v7, v128.load(m, 112));
    v15 = turn16(v15, v3);
    v11 = i64x2.add(v11, v15);
    v7 = turn63(v7, v11);

    v0 = mix(v0, v5, v128.load(m, 128));
    v15 = turn32(v15, v0);
    v10 = i64x2.add(v10, v15);
    v5 = turn24(v5, v10);
    v0 = mix(v0, v5, v128.load(m, 144));
    v15 = turn16(v15, v0);
    v10 = i64x2.add(v10, v15);
    v5 = turn63(v5, v10);
    v1 = mix(v1, v6, v128.load(m, 160));
    v12 = turn32(v12, v1);
    v11 = i64x2.add(v11, v12);
    v6 = turn24(v6, v11);
    v1 = mix(v1, v6, v128.load(m, 176));
    v12 = turn16(v12, v1);
    v11 = i64x2.add(v11, v12);
    v6 = turn63(v6, v11);
    v2 = mix(v2, v7, v128.load(m, 192));
    v13 = turn32(v13, v2);
    v8 = i64x2.add(v8, v13);
    v7 = turn24(v7, v8);
    v2 = mix(v2, v7, v128.load(m, 208));
    v13 = turn16(v13, v2);
    v8 = i64x2.add(v8, v13);
    v7 = turn63(v7, v8);
    v3 = mix(v3, v4, v128.load(m, 224));
    v14 = turn32(v14, v3);
    v9 = i64x2.add(v9, v14);
    v4 = turn24(v4, v9);
    v3 = mix(v3, v4, v128.load(m, 240));
    v14 = turn16(v14, v3);
    v9 = i64x2.add(v9, v14);
    v4 = turn63(v4, v9);
    m += 256;
  }
  fold(0, v0, v8);
  fold(16, v1, v9);
  fold(32, v2, v10);
  fold(48, v3, v11);
  fold(64, v4, v12);
  fold(80, v5, v13);
  fold(96, v6, v14);
  fold(112, v7, v15);
}

function fold(offset: usize, a: v128, b: v128): void {
  v128.store(state + offset, v128.xor(v128.load(state + offset), v128.xor(a, b)));
}
