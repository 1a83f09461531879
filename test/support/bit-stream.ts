/** Bit streams, little endian, written a second time with BigInt so that tests do not trust the code under test. */
export function readBits(bytes: Uint8Array, count: number, bits: number): bigint[] {
  const mask = (1n << BigInt(bits)) - 1n;
  const values: bigint[] = [];
  let held = 0n;
  let heldBits = 0;
  let next = 0;
  while (values.length < count) {
    while (heldBits < bits) {
      held |= BigInt(bytes[next++] ?? 0) << BigInt(heldBits);
      heldBits += 8;
    }
    values.push(held & mask);
    held >>= BigInt(bits);
    heldBits -= bits;
  }
  return values;
}

export function writeBits(values: readonly bigint[], bits: number): Uint8Array {
  const bytes: number[] = [];
  let held = 0n;
  let heldBits = 0;
  for (const value of values) {
    held |= value << BigInt(heldBits);
    heldBits += bits;
    for (; heldBits >= 8; heldBits -= 8, held >>= 8n) bytes.push(Number(held & 0xffn));
  }
  if (heldBits > 0) bytes.push(Number(held));
  return Uint8Array.from(bytes);
}
