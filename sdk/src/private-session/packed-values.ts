import { packedBytes } from '../protocol/index.ts';
import { DenoiseError } from '../errors/index.ts';
import { checkLength } from './slice-opening.ts';

const maskOf = (bits: number): number => 2 ** bits - 1;

/**
 * Packs values without gaps, low bits first. Words are little endian, as on every machine that runs this.
 * @param values of which the low `bits` bits are taken; at most 2^26 of them
 * @param bits 1..32
 */
export function packValues(values: Uint32Array, bits: number): Uint8Array<ArrayBuffer> {
  const words = new Uint32Array(Math.ceil((values.length * bits) / 32));
  const mask = maskOf(bits);
  for (let i = 0, bit = 0; i < values.length; i++, bit += bits) {
    const value = (values[i] as number) & mask;
    const [word, offset] = [bit >>> 5, bit & 31];
    words[word] = (words[word] as number) | (value << offset);
    if (offset + bits > 32) words[word + 1] = value >>> (32 - offset);
  }
  return new Uint8Array(words.buffer, 0, packedBytes(values.length, bits));
}

/**
 * Reads what {@link packValues} wrote.
 * @throws TWO_PARTY_LENGTH, TWO_PARTY_TOO_LARGE where the length is not that of `count` values; TWO_PARTY_FOREIGN where
 *   bits behind the last value are not 0
 */
export function unpackValues(packed: Uint8Array, count: number, bits: number): Uint32Array<ArrayBuffer> {
  checkLength(packed, packedBytes(count, bits));
  const words = new Uint32Array(Math.ceil(packed.length / 4));
  new Uint8Array(words.buffer).set(packed);
  const used = (count * bits) & 31;
  if (used > 0 && (words[words.length - 1] as number) >>> used !== 0)
    throw new DenoiseError('TWO_PARTY_FOREIGN', { part: 'padding' });
  const values = new Uint32Array(count);
  const mask = maskOf(bits);
  for (let i = 0, bit = 0; i < count; i++, bit += bits) {
    const [word, offset] = [bit >>> 5, bit & 31];
    let value = (words[word] as number) >>> offset;
    if (offset + bits > 32) value |= (words[word + 1] as number) << (32 - offset);
    values[i] = value & mask;
  }
  return values;
}
