import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { outputIndices, outputsPerTile } from '@cipherdose/sdk/packing';
import { frameHeaderBytes, packedBytes, parameterSet, replyCiphertextBytes } from '@cipherdose/sdk/protocol';
import { systemRandom } from '@cipherdose/sdk/two-party';
import { encryptShare, shareLayer } from '#sdk/worker/share-cipher.js';
import { Kernel } from '#server/evaluator/kernel.js';
import { openMaskedLayer, type MaskedLayer, type MaskingSources } from '#server/evaluator/masked-layer.js';
import { inverseModulo } from '#server/evaluator/number-theory.js';
import { integers } from '../../support/arbitraries.ts';
import { readBits } from '../../support/bit-stream.ts';
import { evaluationContext, oneLayerNetwork, randomWeights } from '../../support/encrypted-layers.ts';
import { linearNode } from '../../support/linear-node.ts';
import {
  openMaskedPair,
  throughBothSides,
  uniformShare,
  type MaskedPair,
} from '../../support/masked-layers.ts';
import { refusal } from '../../support/refusal.ts';

const set = parameterSet('n8192-q108-t26');
const node = linearNode({ inChannels: 2, outChannels: 2, kernel: [3, 3] });
// Two tiles, the second of which has outputs beyond the map.
const map = { height: 127, width: 101 };
const layer = shareLayer(set, '', node, map);
const outputs = outputsPerTile(layer.tiling);
const network = oneLayerNetwork(node, set, randomWeights(node, 1000, 1000, 3));
const share = uniformShare(2 * map.height * map.width, set, 1);
const mask = uniformShare(2 * map.height * map.width, set, 2);
const masked: MaskedLayer = { layer: 0, mapHeight: map.height, mapWidth: map.width, mask };

let pair: MaskedPair;
beforeAll(async () => {
  pair = await openMaskedPair(set);
});
afterAll(() => {
  pair.sources.zeros[Symbol.dispose]();
  pair.cipher.dispose();
});

/** Whether output `i` of a tile lies within the map. */
const inside = (tile: number, i: number): boolean => {
  const { tileRows, tileColumns, tilesAcross } = layer.tiling;
  const y = Math.floor(tile / tilesAcross) * tileRows + Math.floor(i / tileColumns);
  const x = (tile % tilesAcross) * tileColumns + (i % tileColumns);
  return y < map.height && x < map.width;
};

const request = (): Uint8Array<ArrayBuffer> => {
  const frames = encryptShare(pair.cipher, shareLayer(set, network.plan.digest, node, map), share);
  return frames.next().value as Uint8Array<ArrayBuffer>;
};

/** c0 and c1 of the ciphertext at `place` of a reply. */
function components(reply: Uint8Array, place: number): { c0: readonly bigint[]; c1: readonly bigint[] } {
  const start = frameHeaderBytes + place * replyCiphertextBytes(set, outputs);
  const bytes = reply.subarray(start);
  return {
    c0: readBits(bytes, outputs, set.c0Bits),
    c1: readBits(bytes.subarray(packedBytes(outputs, set.c0Bits)), set.ringDegree, set.c1Bits),
  };
}

const answer = (frame: Uint8Array, sources: MaskingSources): Uint8Array =>
  openMaskedLayer(evaluationContext(network), masked, sources).answer(frame);

const constantBytes =
  (byte: number): MaskingSources['random'] =>
  (target) => {
    target.fill(byte);
  };

describe('masks of a reply', () => {
  test('the layer of these tests has two tiles, one of them with outputs beyond the map', () => {
    expect(layer.tiling.tiles).toBe(2);
    const beyond = Array.from({ length: outputs }, (_, i) => i).filter((i) => !inside(1, i));
    expect(beyond.length).toBeGreaterThan(50);
    expect(beyond.length).toBeLessThan(outputs / 10);
  });

  test('c1 of two replies to one request have nothing in common', () => {
    const frame = request();
    const [first, second] = [answer(frame, pair.sources), answer(frame, pair.sources)];
    for (let place = 0; place < 4; place++) {
      const [a, b] = [components(first, place).c1, components(second, place).c1];
      // Uniform differences: each bit of the upper byte is 1 in about half of 8192, 6 standard deviations are 272.
      const differences = a.map((value, i) => BigInt.asUintN(set.c1Bits, value - (b[i] as bigint)));
      for (let bit = set.c1Bits - 8; bit < set.c1Bits; bit++) {
        const ones = differences.filter((difference) => (difference >> BigInt(bit)) & 1n).length;
        expect(Math.abs(ones - set.ringDegree / 2)).toBeLessThan(272);
      }
      expect(a.filter((value, i) => value === b[i]).length).toBeLessThan(3);
    }
  });

  test('the lowest and the highest flood still decrypt, and lie 2^floodBits apart on every output', () => {
    const zero = pair.sources.zeros.take();
    const zeros = { take: () => zero };
    const frame = request();
    const low = answer(frame, { zeros, random: constantBytes(0) });
    const high = answer(frame, { zeros, random: constantBytes(255) });
    const apart = 2n ** BigInt((set.floodBits ?? 0) + set.c0Bits);
    const q = set.primes.reduce((product, prime) => product * BigInt(prime), 1n);
    const expected = Number(apart / q);
    expect(expected).toBeGreaterThanOrEqual(4);
    for (let place = 0; place < 4; place++) {
      const [a, b] = [components(low, place), components(high, place)];
      expect(a.c1).toEqual(b.c1);
      a.c0.forEach((value, i) => {
        // Beyond the map the masks differ too: they are random.
        if (!inside(Math.floor(place / 2), i)) return;
        const difference = Number(BigInt.asUintN(set.c0Bits, (b.c0[i] as bigint) - value));
        expect([expected, expected + 1]).toContain(difference);
      });
    }
    const random = systemRandom;
    const plain = throughBothSides(pair, network, node, share, masked);
    for (const source of [constantBytes(0), constantBytes(255), random]) {
      const flooded = { ...pair, sources: { zeros: pair.sources.zeros, random: source } };
      expect(throughBothSides(flooded, network, node, share, masked)).toEqual(plain);
    }
  });

  test('outputs beyond the map are masked as well: two replies decrypt to unrelated values there', () => {
    const cipher = pair.cipher;
    const indices = outputIndices(layer.tiling, node);
    const frame = request();
    const [first, second] = [0, 1].map(() => {
      const values = new Int32Array(outputs);
      const reply = answer(frame, pair.sources);
      cipher.decrypt(reply, frameHeaderBytes + 2 * replyCiphertextBytes(set, outputs), indices, values);
      return values;
    }) as [Int32Array, Int32Array];
    const alike = (within: boolean): number =>
      first.filter((value, i) => inside(1, i) === within && value === second[i]).length;
    expect(alike(true)).toBe(first.filter((_, i) => inside(1, i)).length);
    expect(alike(false)).toBeLessThan(3);
  });

  test('a tile is answered once, also if the first answer failed', () => {
    const evaluation = openMaskedLayer(evaluationContext(network), masked, pair.sources);
    const frame = request();
    evaluation.answer(frame);
    expect(evaluation.done).toBe(true);
    expect(() => evaluation.answer(frame)).toThrow(refusal('FRAME_GEOMETRY'));

    const broken = request();
    broken.fill(255, frameHeaderBytes, frameHeaderBytes + 8);
    const other = openMaskedLayer(evaluationContext(network), masked, pair.sources);
    expect(() => other.answer(broken)).toThrow(refusal('FRAME_RESIDUE'));
    expect(() => other.answer(frame)).toThrow(refusal('FRAME_GEOMETRY'));
  });

  test('a frame of another map size is refused, and maps of the wrong length', () => {
    const context = evaluationContext(network);
    const other: MaskedLayer = { ...masked, mapHeight: 101, mapWidth: 127 };
    expect(() => openMaskedLayer(context, other, pair.sources).answer(request())).toThrow(
      refusal('FRAME_GEOMETRY'),
    );
    for (const wrong of [
      { ...masked, mask: mask.subarray(1) },
      { ...masked, hostShare: share.subarray(1) },
    ])
      expect(() => openMaskedLayer(context, wrong, pair.sources)).toThrow(refusal('MASK_INVALID'));
  });

  test('a parameter set without a flood is refused', () => {
    const plain = oneLayerNetwork(node, parameterSet('n4096-q90-t25'), randomWeights(node, 1, 1, 3));
    expect(() => openMaskedLayer(evaluationContext(plain), masked, pair.sources)).toThrow(
      refusal('PARAMETERS_INVALID'),
    );
  });
});

describe('the kernel adds', () => {
  const kernel = new Kernel(set.ringDegree);
  const { primes, modulusRest } = kernel.parameters(set);
  const q = set.primes.reduce((product, prime) => product * BigInt(prime), 1n);
  const t = 1n << BigInt(set.plainModulusBits);
  const floodBits = set.floodBits ?? 0;
  const next = integers(9);
  const count = 300;
  const region = kernel.allocate(8 * set.ringDegree + 20 * count).address;
  const [target, source] = [region, region + 4 * set.ringDegree];
  const indices = source + 4 * set.ringDegree;
  const messages = indices + 4 * count;
  const floods = messages + 4 * count;

  test.each(primes)(
    'flood and message modulo $prime, as on BigInt',
    ({ prime, table, additionScale, messageScale }) => {
      const p = BigInt(prime);
      const before = Uint32Array.from({ length: set.ringDegree }, () => next(0, prime - 1));
      const places = Uint32Array.from({ length: count }, (_, i) => i * 27);
      const values = Uint32Array.from(
        { length: count },
        (_, i) => [0, 1, Number(t) - 1, Number(t / 2n), Number(t / 2n) + 1][i] ?? next(0, Number(t) - 1),
      );
      const bytes = Uint8Array.from({ length: 12 * count }, (_, i) =>
        i < 12 ? 0 : i < 24 ? 255 : next(0, 255),
      );
      kernel.words(target, set.ringDegree).set(before);
      kernel.words(indices, count).set(places);
      kernel.words(messages, count).set(values);
      kernel.bytes(floods, bytes.length).set(bytes);
      kernel.call.addMasks(
        target,
        indices,
        count,
        floods,
        messages,
        table,
        additionScale.factor,
        messageScale,
        modulusRest,
        set.plainModulusBits,
        floodBits,
      );
      const scale = inverseModulo(q / p, p);
      const expected = before.slice();
      places.forEach((place, i) => {
        const words = [...bytes.subarray(12 * i, 12 * i + 12)].reduceRight(
          (sum, byte) => (sum << 8n) | BigInt(byte),
          0n,
        );
        const flood = BigInt.asUintN(floodBits, words) - 2n ** BigInt(floodBits - 1);
        // round(q m / t), halves down
        const message = (q * BigInt(values[i] as number) * 2n + t - 1n) / (2n * t);
        const sum = BigInt(before[place] as number) + (flood + message) * scale;
        expected[place] = Number(((sum % p) + p) % p);
      });
      expect(kernel.words(target, set.ringDegree)).toEqual(expected);
    },
  );

  test.each(primes)('a scaled polynomial modulo $prime', ({ prime, table, additionScale }) => {
    const edge = [0, 1, prime - 1];
    const [a, b] = [0, 1].map((shift) =>
      Uint32Array.from(
        { length: set.ringDegree },
        (_, i) => edge[i < 9 ? (shift ? i % 3 : Math.floor(i / 3)) : 9] ?? next(0, prime - 1),
      ),
    ) as [Uint32Array, Uint32Array];
    kernel.words(target, set.ringDegree).set(a);
    kernel.words(source, set.ringDegree).set(b);
    kernel.call.addScaled(target, source, table, additionScale.factor, additionScale.quotient);
    const expected = a.map((value, i) =>
      Number((BigInt(value) + BigInt(b[i] as number) * BigInt(additionScale.factor)) % BigInt(prime)),
    );
    expect(kernel.words(target, set.ringDegree)).toEqual(expected);
  });
});
