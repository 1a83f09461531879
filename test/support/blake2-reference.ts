/** BLAKE2b (RFC 7693) and BLAKE2Xb once more, with BigInt and by the text, to compare the kernel with. */
const mask = 2n ** 64n - 1n;

const initial = [
  0x6a09e667f3bcc908n,
  0xbb67ae8584caa73bn,
  0x3c6ef372fe94f82bn,
  0xa54ff53a5f1d36f1n,
  0x510e527fade682d1n,
  0x9b05688c2b3e6c1fn,
  0x1f83d9abfb41bd6bn,
  0x5be0cd19137e2179n,
];

// RFC 7693, section 2.7, one hexadecimal digit a place.
const sigma = [
  '0123456789abcdef',
  'ea489fd61c02b753',
  'b8c052fdae367194',
  '7931dcbe265a40f8',
  '905724afe1bc683d',
  '2c6a0b834d75fe19',
  'c51fed4a0763928b',
  'db7ec13950f4862a',
  '6fe9b308c2d714a5',
  'a2847615fb9e3cd0',
].map((row) => Array.from(row, (digit) => Number.parseInt(digit, 16)));

const columns = [
  [0, 4, 8, 12],
  [1, 5, 9, 13],
  [2, 6, 10, 14],
  [3, 7, 11, 15],
  [0, 5, 10, 15],
  [1, 6, 11, 12],
  [2, 7, 8, 13],
  [3, 4, 9, 14],
] as const;

/** The parameter block as eight words. */
export interface Blake2Parameters {
  readonly digestBytes: number;
  readonly keyBytes: number;
  readonly fanout: number;
  readonly depth: number;
  readonly leafBytes?: number;
  readonly nodeOffset?: number;
  readonly xofBytes?: number;
  readonly innerBytes?: number;
}

export function blake2b(input: Uint8Array, key: Uint8Array, parameters: Blake2Parameters): Uint8Array {
  const {
    digestBytes,
    keyBytes,
    fanout,
    depth,
    leafBytes = 0,
    nodeOffset = 0,
    xofBytes = 0,
    innerBytes = 0,
  } = parameters;
  const h = [...initial];
  const words = [
    BigInt(digestBytes) |
      (BigInt(keyBytes) << 8n) |
      (BigInt(fanout) << 16n) |
      (BigInt(depth) << 24n) |
      (BigInt(leafBytes) << 32n),
    BigInt(nodeOffset) | (BigInt(xofBytes) << 32n),
    BigInt(innerBytes) << 8n,
  ];
  words.forEach((word, i) => {
    h[i] = (h[i] as bigint) ^ word;
  });
  const keyBlock = key.length > 0 ? 128 : 0;
  const message = new Uint8Array(Math.max(128, Math.ceil((keyBlock + input.length) / 128) * 128));
  message.set(key);
  message.set(input, keyBlock);
  const length = keyBlock + input.length;
  for (let at = 0; at < message.length; at += 128) {
    const last = at + 128 === message.length;
    compress(h, new DataView(message.buffer, at, 128), BigInt(last ? length : at + 128), last);
  }
  const digest = new DataView(new ArrayBuffer(64));
  h.forEach((word, i) => {
    digest.setBigUint64(8 * i, word, true);
  });
  return new Uint8Array(digest.buffer).slice(0, digestBytes);
}

function compress(h: bigint[], block: DataView, length: bigint, last: boolean): void {
  const v = [...h, ...initial];
  v[12] = (v[12] as bigint) ^ length;
  if (last) v[14] = (v[14] as bigint) ^ mask;
  const at = (i: number): bigint => v[i] as bigint;
  const turn = (value: bigint, by: bigint): bigint => ((value >> by) | (value << (64n - by))) & mask;
  for (let round = 0; round < 12; round++)
    columns.forEach(([a, b, c, d], i) => {
      const word = (k: number): bigint =>
        block.getBigUint64(8 * (sigma[round % 10]?.[2 * i + k] as number), true);
      v[a] = (at(a) + at(b) + word(0)) & mask;
      v[d] = turn(at(d) ^ at(a), 32n);
      v[c] = (at(c) + at(d)) & mask;
      v[b] = turn(at(b) ^ at(c), 24n);
      v[a] = (at(a) + at(b) + word(1)) & mask;
      v[d] = turn(at(d) ^ at(a), 16n);
      v[c] = (at(c) + at(d)) & mask;
      v[b] = turn(at(b) ^ at(c), 63n);
    });
  h.forEach((word, i) => {
    h[i] = word ^ at(i) ^ at(i + 8);
  });
}

/** BLAKE2X (2016), section 2: `bytes` of output, a multiple of 64. */
export function blake2xb(input: Uint8Array, key: Uint8Array, bytes: number): Uint8Array {
  const root = blake2b(input, key, {
    digestBytes: 64,
    keyBytes: key.length,
    fanout: 1,
    depth: 1,
    xofBytes: bytes,
  });
  const output = new Uint8Array(bytes);
  for (let node = 0; node < bytes / 64; node++)
    output.set(
      blake2b(root, new Uint8Array(), {
        digestBytes: 64,
        keyBytes: 0,
        fanout: 0,
        depth: 0,
        leafBytes: 64,
        nodeOffset: node,
        xofBytes: bytes,
        innerBytes: 64,
      }),
      64 * node,
    );
  return output;
}

/** Block `counter` of the stream that SEAL's generator makes from a seed. */
export function streamBlock(seed: Uint8Array, counter: number): BigUint64Array {
  const input = new Uint8Array(8);
  new DataView(input.buffer).setBigUint64(0, BigInt(counter), true);
  return new BigUint64Array(blake2xb(input, seed, 4096).buffer);
}
