import { chacha20 } from '@noble/ciphers/chacha.js';
import { blake3 } from '@noble/hashes/blake3.js';
import { describe, expect, test } from '@jest/globals';
import { BaseTransferSender, receiveBaseTransfers } from '#sdk/two-party/base-transfer.js';
import { growPuncturedSeeds, growSeeds, puncturedChoices } from '#sdk/two-party/punctured-seeds.js';
import { TwoPartyKernel } from '#sdk/two-party/two-party-kernel.js';
import { ristretto255 } from '@noble/curves/ed25519.js';
import { present, seededSource } from '../support/two-party.ts';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const random = seededSource(77);
const draw = (length: number) => {
  const bytes = new Uint8Array(length);
  random(bytes);
  return bytes;
};
const words = (...values: number[]) => new Uint8Array(Uint32Array.from(values).buffer);

describe('primitives in WebAssembly against audited packages', () => {
  const kernel = new TwoPartyKernel();

  function stretch(key: Uint8Array, batch: number, type: number, serial: number): Uint8Array {
    const region = kernel.take(32 + 256);
    const target = region.address + 32;
    kernel.bytes(region.address, 32).set(key);
    kernel.loops.stretchSeed(region.address, target, batch, type, serial);
    // Word w of block j stands at lane j of vector w.
    const lanes = kernel.words(target, 64);
    const stream = Uint32Array.from({ length: 64 }, (_, i) =>
      present(lanes[(i % 16) * 4 + Math.floor(i / 16)]),
    );
    kernel.give(region);
    return new Uint8Array(stream.buffer);
  }

  test('the stretched seed is the block of RFC 8439, section 2.3.2', () => {
    const key = Uint8Array.from({ length: 32 }, (_, i) => i);
    const blocks = stretch(key, 0x09000000, 0x4a000000, 0);
    expect(hex(blocks.subarray(64, 128))).toBe(
      '10f1e7e4d13b5915500fdd1fa32071c4c7d1f4c733c068030422aa9ac3d46c4e' +
        'd2826446079faa0914c2d705d98b02a2b5129cd1de164eb9cbd083e8a2503c4e',
    );
  });

  test.each([
    [0, 0, 0],
    [1, 0x10003, 7],
    [31, 0x1_04_01, 0xfffffffe],
  ])('the stretched seed is ChaCha20 of @noble/ciphers: nonce %p %p %p', (batch, type, serial) => {
    const key = draw(32);
    const stream = stretch(key, batch, type, serial);
    const expected = chacha20(key, words(batch, type, serial), new Uint8Array(256));
    expect(hex(stream)).toBe(hex(expected));
  });

  test.each([
    [0, 0, 0],
    [4096, 0x10203, 9],
    [0xfffffff0, 0x1_04_01, 0xffffffff],
  ])('the hash of a row is keyed BLAKE3 of @noble/hashes: tweak %p %p %p', (first, type, serial) => {
    const key = draw(32);
    const mask = draw(32);
    const rows = Array.from({ length: 4 }, () => draw(32));
    const region = kernel.take(64 + 8 * 512 + 16);
    const [maskAt, rowAt, target] = [region.address + 32, region.address + 64, region.address + 64 + 8 * 512];
    kernel.bytes(region.address, 32).set(key);
    kernel.bytes(maskAt, 32).set(mask);
    rows.forEach((row, lane) => {
      for (let word = 0; word < 8; word++)
        kernel.bytes(rowAt + 512 * word + 4 * lane, 4).set(row.subarray(4 * word, 4 * word + 4));
    });
    kernel.loops.hashFour(region.address, rowAt, maskAt, target, first, type, serial);
    rows.forEach((row, lane) => {
      const message = Uint8Array.from([
        ...row.map((byte, i) => byte ^ present(mask[i])),
        ...words(first + lane, type, serial),
      ]);
      const expected = blake3(message, { key }).subarray(0, 4);
      expect(hex(kernel.bytes(target + 4 * lane, 4))).toBe(hex(expected));
    });
    kernel.give(region);
  });
});

describe('base OTs', () => {
  test('the group is ristretto255: multiples of the generator as in RFC 9496, appendix A.1', () => {
    const multiples = [1n, 2n, 3n].map((n) => ristretto255.Point.BASE.multiply(n).toHex());
    expect(multiples).toEqual([
      'e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2d76',
      '6a493210f7499cd17fecb510ae0cea23a110e8d5b901f8acadd3095c73a3b919',
      '94741f5d5d52755ece4f23f044ee27d5d1ea1e2bd196b462166b16152a9d0259',
    ]);
  });

  test('the receiver has the key that it chose and not the other', () => {
    const sender = new BaseTransferSender(seededSource(1));
    const choices = Uint8Array.of(0, 1, 1, 0, 1, 0, 0, 1);
    const { answers, keys } = receiveBaseTransfers(sender.element, choices, seededSource(2));
    sender.keys(answers).forEach((pair, i) => {
      const chosen = present(choices[i]) as 0 | 1;
      expect(hex(pair[chosen])).toBe(hex(present(keys[i])));
      expect(hex(pair[chosen === 0 ? 1 : 0])).not.toBe(hex(present(keys[i])));
    });
    expect(new Set(keys.map(hex)).size).toBe(choices.length);
  });

  test.each([
    ['not canonical', new Uint8Array(32).fill(0xff)],
    ['not on the curve', Uint8Array.from({ length: 32 }, (_, i) => (i === 0 ? 26 : 0))],
    ['the neutral element', new Uint8Array(32)],
  ])('an element that is %s is refused on both sides', (_, element) => {
    const code = expect.objectContaining({ code: 'TWO_PARTY_ELEMENT' });
    expect(() => receiveBaseTransfers(element, Uint8Array.of(0), seededSource(3))).toThrow(code);
    expect(() => new BaseTransferSender(seededSource(4)).keys(element)).toThrow(code);
  });
});

test.each([4, 8])('all seeds but one are known, k = %p', (k) => {
  const columns = 5;
  const base = Array.from({ length: columns * k }, () => [draw(32), draw(32)] as const);
  const deltas = Uint32Array.from([0, 2 ** k - 1, 1, 5, 2 ** (k - 1)]);
  const choices = puncturedChoices(deltas, k);
  const { seeds, message } = growSeeds(columns, k, base, seededSource(5));
  const chosen = base.map((pair, i) => pair[present(choices[i]) as 0 | 1]);
  const punctured = growPuncturedSeeds(deltas, k, chosen, message);
  const seed = (of: Uint8Array, column: number, x: number) =>
    hex(of.subarray(((column << k) + x) * 32, ((column << k) + x + 1) * 32));
  deltas.forEach((delta, column) => {
    expect(seed(punctured, column, 0)).toBe('00'.repeat(32));
    for (let y = 1; y < 2 ** k; y++) expect(seed(punctured, column, y)).toBe(seed(seeds, column, y ^ delta));
  });
  expect(new Set(Array.from({ length: columns << k }, (_, i) => seed(seeds, 0, i))).size).toBe(columns << k);
});
