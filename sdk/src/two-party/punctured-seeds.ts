import { blake3 } from '@noble/hashes/blake3.js';
import { randomBytes, type RandomSource } from './random-source.ts';

// All but one of 2^k seeds from k base OTs: the punctured pseudorandom function of Goldreich, Goldwasser, Micali, as
// SoftSpokenOT (CRYPTO 2022) uses it. Level by level the owner sends the XOR of all left and the XOR of all
// right nodes under the keys of one OT; the other side takes the one beside its path.

/** Bytes of a seed. */
export const seedBytes = 32;

const context = new TextEncoder().encode('CipherDose two-party seed tree v1');

/** Bytes that the owner sends for `columns` trees. */
export const treeMessageBytes = (columns: number, k: number): number => columns * k * 2 * seedBytes;

/**
 * The owner of the trees.
 * @param keys two keys for each of columns * k OTs
 * @returns 2^k seeds a column, and what to send
 */
export function growSeeds(
  columns: number,
  k: number,
  keys: readonly (readonly [Uint8Array, Uint8Array])[],
  random: RandomSource,
): { seeds: Uint8Array; message: Uint8Array } {
  const seeds = new Uint8Array((columns << k) * seedBytes);
  const message = new Uint8Array(treeMessageBytes(columns, k));
  for (let column = 0; column < columns; column++) {
    let nodes = [randomBytes(random, seedBytes)];
    for (let level = 0; level < k; level++) {
      nodes = nodes.flatMap(children);
      const pair = keys[column * k + level] as readonly [Uint8Array, Uint8Array];
      for (const side of [0, 1] as const) {
        const at = ((column * k + level) * 2 + side) * seedBytes;
        const sum = message.subarray(at, at + seedBytes);
        sum.set(pair[side]);
        for (let i = side; i < nodes.length; i += 2) addTo(sum, nodes[i] as Uint8Array);
      }
    }
    nodes.forEach((seed, x) => {
      seeds.set(seed, ((column << k) + x) * seedBytes);
    });
  }
  return { seeds, message };
}

/**
 * Which OT messages to choose to miss seed delta of every column: at each level the side beside the path.
 * @param deltas k bits a column
 */
export function puncturedChoices(deltas: Uint32Array, k: number): Uint8Array {
  return Uint8Array.from({ length: deltas.length * k }, (_, i) => {
    const delta = deltas[Math.floor(i / k)] as number;
    return 1 ^ ((delta >> (k - 1 - (i % k))) & 1);
  });
}

/**
 * The other side.
 * @param keys the chosen key of each of columns * k OTs
 * @returns 2^k seeds a column, in the order of the OT extension's sender: seed y is the owner's seed y ^ delta, seed 0
 *   is zero, because it is the one that is not known
 */
export function growPuncturedSeeds(
  deltas: Uint32Array,
  k: number,
  keys: readonly Uint8Array[],
  message: Uint8Array,
): Uint8Array {
  const seeds = new Uint8Array((deltas.length << k) * seedBytes);
  deltas.forEach((delta, column) => {
    let nodes: (Uint8Array | undefined)[] = [undefined];
    for (let level = 0; level < k; level++) {
      nodes = nodes.flatMap((node) => (node ? children(node) : [undefined, undefined]));
      const path = delta >> (k - 1 - level);
      const side = 1 ^ (path & 1);
      const at = ((column * k + level) * 2 + side) * seedBytes;
      const beside = message.slice(at, at + seedBytes);
      addTo(beside, keys[column * k + level] as Uint8Array);
      for (let i = side; i < nodes.length; i += 2) addTo(beside, nodes[i]);
      nodes[path ^ 1] = beside;
    }
    nodes.forEach((seed, x) => {
      if (seed) seeds.set(seed, ((column << k) + (x ^ delta)) * seedBytes);
    });
  });
  return seeds;
}

function children(seed: Uint8Array): [Uint8Array, Uint8Array] {
  const both = blake3(seed, { context, dkLen: 2 * seedBytes });
  return [both.subarray(0, seedBytes), both.subarray(seedBytes)];
}

function addTo(target: Uint8Array, other: Uint8Array | undefined): void {
  other?.forEach((byte, i) => {
    target[i] = (target[i] as number) ^ byte;
  });
}
