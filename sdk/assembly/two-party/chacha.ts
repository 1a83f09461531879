// ChaCha20 of RFC 8439, section 2.3, four blocks at once: lane j of every vector belongs to the block with counter j. All
// 20 rounds: 8 would be about 15 % less work for k = 4, and the standard is the standard. The tests compare it with the
// vector of the RFC and with @noble/ciphers.
import { left, left16, left8 } from './lanes';

const rounds: i32 = 20;

/**
 * Writes blocks 0..3 of the stream of a 32-byte key under the nonce (batch, type, serial): word w of block j stands at
 * lane j of vector w, so these are 16 vectors.
 */
export function stretch(key: usize, target: usize, batch: u32, type: u32, serial: u32): void {
  const counter = i32x4(0, 1, 2, 3);
  let x0 = i32x4.splat(0x61707865);
  let x1 = i32x4.splat(0x3320646e);
  let x2 = i32x4.splat(0x79622d32);
  let x3 = i32x4.splat(0x6b206574);
  let x4 = v128.load32_splat(key, 0);
  let x5 = v128.load32_splat(key, 4);
  let x6 = v128.load32_splat(key, 8);
  let x7 = v128.load32_splat(key, 12);
  let x8 = v128.load32_splat(key, 16);
  let x9 = v128.load32_splat(key, 20);
  let x10 = v128.load32_splat(key, 24);
  let x11 = v128.load32_splat(key, 28);
  let x12 = counter;
  let x13 = i32x4.splat(batch);
  let x14 = i32x4.splat(type);
  let x15 = i32x4.splat(serial);
  for (let round = 0; round < rounds; round += 2) {
    x0 = i32x4.add(x0, x4);
    x12 = left16(v128.xor(x12, x0));
    x8 = i32x4.add(x8, x12);
    x4 = left(v128.xor(x4, x8), 12);
    x0 = i32x4.add(x0, x4);
    x12 = left8(v128.xor(x12, x0));
    x8 = i32x4.add(x8, x12);
    x4 = left(v128.xor(x4, x8), 7);
    x1 = i32x4.add(x1, x5);
    x13 = left16(v128.xor(x13, x1));
    x9 = i32x4.add(x9, x13);
    x5 = left(v128.xor(x5, x9), 12);
    x1 = i32x4.add(x1, x5);
    x13 = left8(v128.xor(x13, x1));
    x9 = i32x4.add(x9, x13);
    x5 = left(v128.xor(x5, x9), 7);
    x2 = i32x4.add(x2, x6);
    x14 = left16(v128.xor(x14, x2));
    x10 = i32x4.add(x10, x14);
    x6 = left(v128.xor(x6, x10), 12);
    x2 = i32x4.add(x2, x6);
    x14 = left8(v128.xor(x14, x2));
    x10 = i32x4.add(x10, x14);
    x6 = left(v128.xor(x6, x10), 7);
    x3 = i32x4.add(x3, x7);
    x15 = left16(v128.xor(x15, x3));
    x11 = i32x4.add(x11, x15);
    x7 = left(v128.xor(x7, x11), 12);
    x3 = i32x4.add(x3, x7);
    x15 = left8(v128.xor(x15, x3));
    x11 = i32x4.add(x11, x15);
    x7 = left(v128.xor(x7, x11), 7);
    x0 = i32x4.add(x0, x5);
    x15 = left16(v128.xor(x15, x0));
    x10 = i32x4.add(x10, x15);
    x5 = left(v128.xor(x5, x10), 12);
    x0 = i32x4.add(x0, x5);
    x15 = left8(v128.xor(x15, x0));
    x10 = i32x4.add(x10, x15);
    x5 = left(v128.xor(x5, x10), 7);
    x1 = i32x4.add(x1, x6);
    x12 = left16(v128.xor(x12, x1));
    x11 = i32x4.add(x11, x12);
    x6 = left(v128.xor(x6, x11), 12);
    x1 = i32x4.add(x1, x6);
    x12 = left8(v128.xor(x12, x1));
    x11 = i32x4.add(x11, x12);
    x6 = left(v128.xor(x6, x11), 7);
    x2 = i32x4.add(x2, x7);
    x13 = left16(v128.xor(x13, x2));
    x8 = i32x4.add(x8, x13);
    x7 = left(v128.xor(x7, x8), 12);
    x2 = i32x4.add(x2, x7);
    x13 = left8(v128.xor(x13, x2));
    x8 = i32x4.add(x8, x13);
    x7 = left(v128.xor(x7, x8), 7);
    x3 = i32x4.add(x3, x4);
    x14 = left16(v128.xor(x14, x3));
    x9 = i32x4.add(x9, x14);
    x4 = left(v128.xor(x4, x9), 12);
    x3 = i32x4.add(x3, x4);
    x14 = left8(v128.xor(x14, x3));
    x9 = i32x4.add(x9, x14);
    x4 = left(v128.xor(x4, x9), 7);
  }
  v128.store(target, i32x4.add(x0, i32x4.splat(0x61707865)), 0);
  v128.store(target, i32x4.add(x1, i32x4.splat(0x3320646e)), 16);
  v128.store(target, i32x4.add(x2, i32x4.splat(0x79622d32)), 32);
  v128.store(target, i32x4.add(x3, i32x4.splat(0x6b206574)), 48);
  v128.store(target, i32x4.add(x4, v128.load32_splat(key, 0)), 64);
  v128.store(target, i32x4.add(x5, v128.load32_splat(key, 4)), 80);
  v128.store(target, i32x4.add(x6, v128.load32_splat(key, 8)), 96);
  v128.store(target, i32x4.add(x7, v128.load32_splat(key, 12)), 112);
  v128.store(target, i32x4.add(x8, v128.load32_splat(key, 16)), 128);
  v128.store(target, i32x4.add(x9, v128.load32_splat(key, 20)), 144);
  v128.store(target, i32x4.add(x10, v128.load32_splat(key, 24)), 160);
  v128.store(target, i32x4.add(x11, v128.load32_splat(key, 28)), 176);
  v128.store(target, i32x4.add(x12, counter), 192);
  v128.store(target, i32x4.add(x13, i32x4.splat(batch)), 208);
  v128.store(target, i32x4.add(x14, i32x4.splat(type)), 224);
  v128.store(target, i32x4.add(x15, i32x4.splat(serial)), 240);
}
