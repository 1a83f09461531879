import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { emptyMap } from '@cipherdose/sdk/image';
import { outputIndices, outputSize, outputsPerTile, planTiling, readTile } from '@cipherdose/sdk/packing';
import {
  decodeFrameHeader,
  frameHeaderBytes,
  packedBytes,
  parameterSet,
  parameterSetNames,
  replyCiphertextBytes,
  type ParameterSet,
} from '@cipherdose/sdk/protocol';
import { evaluateFrame } from '#server/evaluator/evaluate-frame.js';
import { convolution, convolveByDefinition, randomMap } from '../support/arbitraries.ts';
import { readBits } from '../support/bit-stream.ts';
import {
  encryptTiles,
  evaluationContext,
  oneLayerNetwork,
  randomWeights,
  writeRequest,
} from '../support/encrypted-layers.ts';
import { openSealReference, type Residues } from '../support/seal-reference.ts';

/** Rounded coefficients back to residues: x = round(y * q / 2^bits), at the given places. */
function lift(
  values: readonly bigint[],
  bits: number,
  places: ArrayLike<number>,
  set: ParameterSet,
): Residues {
  const q = set.primes.reduce((product, prime) => product * BigInt(prime), 1n);
  const half = 1n << BigInt(bits - 1);
  const residues = set.primes.map(() => new Uint32Array(set.ringDegree));
  values.forEach((value, i) => {
    const lifted = (value * q + half) >> BigInt(bits);
    set.primes.forEach((prime, k) => {
      (residues[k] as Uint32Array)[places[i] as number] = Number(lifted % BigInt(prime));
    });
  });
  return residues;
}

describe.each(parameterSetNames)('an encrypted layer equals the clear convolution: %s', (name) => {
  const set = parameterSet(name);

  test('for kernels 1..9, strides 1 and 2, odd sizes, any padding', async () => {
    const seal = await openSealReference(set);
    const everyPlace = Array.from({ length: set.ringDegree }, (_, i) => i);
    fc.assert(
      fc.property(convolution({ maxSide: 90, maxChannels: 3 }), ({ node, height, width, seed }) => {
        const output = outputSize(node, height, width);
        fc.pre(output.height >= 1 && output.width >= 1);
        const map = randomMap(node.inChannels, height, width, 500, seed);
        // 3 channels x 81 taps x 500 x 63 stays below 2^24 = t/2 of the smallest set.
        const weights = randomWeights(node, 63, 9_000_000, seed + 1);
        const tiling = planTiling(node, height, width, set);
        const tiles = Math.min(3, tiling.tiles);
        const group = { firstTile: tiling.tiles - tiles, tiles };
        const network = oneLayerNetwork(node, set, weights);
        const ciphertexts = encryptTiles(seal, map, node, tiling, group, set.ringDegree);

        const frame = writeRequest(network, node, set, map, group, ciphertexts);
        const reply = evaluateFrame(evaluationContext(network), frame);

        expect(decodeFrameHeader(reply, 'reply')).toMatchObject({ ...group, channels: node.outChannels });
        const length = replyCiphertextBytes(set, outputsPerTile(tiling));
        expect(reply).toHaveLength(frameHeaderBytes + tiles * node.outChannels * length);
        const indices = outputIndices(tiling, node);
        const clear = convolveByDefinition(map, node, weights.weights, weights.bias);
        const got = { ...emptyMap(node.outChannels, output.height, output.width), data: clear.data.slice() };
        for (let place = 0; place < tiles * node.outChannels; place++) {
          const bytes = reply.subarray(
            frameHeaderBytes + place * length,
            frameHeaderBytes + (place + 1) * length,
          );
          const c0 = readBits(bytes, indices.length, set.c0Bits);
          const c1 = readBits(
            bytes.subarray(packedBytes(indices.length, set.c0Bits)),
            set.ringDegree,
            set.c1Bits,
          );
          const decrypted = seal.decrypt(
            lift(c0, set.c0Bits, indices, set),
            lift(c1, set.c1Bits, everyPlace, set),
          );
          const values = Int32Array.from(indices, (index) => decrypted[index] as number);
          const tile = group.firstTile + Math.floor(place / node.outChannels);
          readTile(values, place % node.outChannels, tile, tiling, got);
        }
        expect(got).toEqual(clear);
      }),
      { numRuns: 12 },
    );
  });
});
