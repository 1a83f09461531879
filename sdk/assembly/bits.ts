// Bit streams, little endian: value i stands at bits [i * bits, (i + 1) * bits), closed to a whole byte with zeros.
// Shared by the client's codec and the host's kernel.

/** Packs `count` u32 of `bits` bits (1..32). @returns the address after the last byte written */
export function packU32(source: usize, target: usize, count: u32, bits: u32): usize {
  let held: u64 = 0;
  let heldBits: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    held |= (<u64>load<u32>(source + ((<usize>i) << 2))) << heldBits;
    heldBits += bits;
    if (heldBits >= 32) {
      store<u32>(target, <u32>held);
      target += 4;
      held >>= 32;
      heldBits -= 32;
    }
  }
  return flush(held, heldBits, target);
}

/** Packs `count` u64 of `bits` bits (1..63). @returns the address after the last byte written */
export function packU64(source: usize, target: usize, count: u32, bits: u32): usize {
  let held: u64 = 0;
  let heldBits: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const value = load<u64>(source + ((<usize>i) << 3));
    held |= value << heldBits;
    const total = heldBits + bits;
    if (total >= 64) {
      store<u64>(target, held);
      target += 8;
      // A shift by 64 would be a shift by 0; bits < 64, so heldBits = 0 never comes here.
      held = value >> (64 - heldBits);
      heldBits = total - 64;
    } else heldBits = total;
  }
  return flush(held, heldBits, target);
}

function flush(held: u64, heldBits: u32, target: usize): usize {
  for (let left = <i32>heldBits; left > 0; left -= 8) {
    store<u8>(target++, <u8>held);
    held >>= 8;
  }
  return target;
}

/** Unpacks `count` values of `bits` bits (1..32) into u32. @returns the address after the last byte read */
export function unpackU32(source: usize, target: usize, count: u32, bits: u32): usize {
  const mask: u64 = (1 << (<u64>bits)) - 1;
  const end = source + <usize>((<u64>count * bits + 7) >> 3);
  let held: u64 = 0;
  let heldBits: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    if (heldBits < bits && source + 4 <= end) {
      held |= (<u64>load<u32>(source)) << heldBits;
      source += 4;
      heldBits += 32;
    }
    // The last bytes alone, so that nothing behind the stream is read.
    while (heldBits < bits) {
      held |= (<u64>load<u8>(source++)) << heldBits;
      heldBits += 8;
    }
    store<u32>(target + ((<usize>i) << 2), <u32>(held & mask));
    held >>= bits;
    heldBits -= bits;
  }
  return source;
}

/** Unpacks `count` values of `bits` bits (1..56) into u64. @returns the address after the last byte read */
export function unpackU64(source: usize, target: usize, count: u32, bits: u32): usize {
  const mask: u64 = ((<u64>1) << bits) - 1;
  let held: u64 = 0;
  let heldBits: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    while (heldBits < bits) {
      held |= (<u64>load<u8>(source++)) << heldBits;
      heldBits += 8;
    }
    store<u64>(target + ((<usize>i) << 3), held & mask);
    held >>= bits;
    heldBits -= bits;
  }
  return source;
}
