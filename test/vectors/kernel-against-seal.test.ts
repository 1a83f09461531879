import { beforeAll, describe, expect, test } from '@jest/globals';
import { planTiling } from '@cipherdose/sdk/packing';
import { parameterSet, parameterSetNames, type LinearNode } from '@cipherdose/sdk/protocol';
import { Kernel } from '#server/evaluator/kernel.js';
import { randomMap } from '../support/arbitraries.ts';
import {
  encryptTiles,
  evaluationContext,
  kernelPolynomial,
  oneLayerNetwork,
  randomWeights,
  writeRequest,
} from '../support/encrypted-layers.ts';
import { accumulateResidues } from '../support/kernel-residues.ts';
import { openSealReference, type Residues, type SealReference } from '../support/seal-reference.ts';

describe.each(parameterSetNames)('the kernel equals node-seal: %s', (name) => {
  const set = parameterSet(name);
  const polynomialBytes = 4 * set.ringDegree;
  const node: LinearNode = {
    op: 'linear',
    name: 'layer',
    input: 'image',
    layer: 0,
    inChannels: 18,
    outChannels: 3,
    kernel: [5, 3],
    stride: [1, 1],
    padding: [2, 1, 2, 1],
    accumulatorBound: 0,
  };

  let seal: SealReference;
  beforeAll(async () => {
    seal = await openSealReference(set);
  });

  test('seed expansion', () => {
    const kernel = new Kernel(set.ringDegree);
    const { primes } = kernel.parameters(set);
    const { address } = kernel.allocate(64 + 3 * primes.length * polynomialBytes);
    for (let i = 0; i < 8; i++) {
      const { seed, c1 } = seal.encrypt(new Int32Array(set.ringDegree).fill(i));
      kernel.bytes(address, 64).set(seed);
      const words = address + 64;
      const target = words + 2 * primes.length * polynomialBytes;
      kernel.call.drawWords(address, primes.length, words);
      primes.forEach(({ table }, prime) => {
        kernel.call.reduceWords(words + 2 * prime * polynomialBytes, table, target);
        expect(kernel.words(target, set.ringDegree)).toEqual(c1[prime]);
      });
    }
  });

  test('forward NTT', () => {
    const kernel = new Kernel(set.ringDegree);
    const { address } = kernel.allocate(polynomialBytes);
    const { c0, handle } = seal.encrypt(Int32Array.from({ length: set.ringDegree }, (_, i) => i % 999));
    const [expected] = seal.components(seal.transformed(handle));
    kernel.parameters(set).primes.forEach(({ table }, prime) => {
      kernel.words(address, set.ringDegree).set(c0[prime] as Uint32Array);
      kernel.call.forwardNtt(address, table);
      expect(kernel.words(address, set.ringDegree)).toEqual(expected[prime]);
    });
  });

  test('every output residue of a convolution', () => {
    const map = randomMap(node.inChannels, (150 * set.ringDegree) / 4096, 61, 500, 7);
    const tiling = planTiling(node, map.height, map.width, set);
    const group = { firstTile: 0, tiles: Math.min(3, tiling.tiles) };
    expect(group.tiles).toBe(3);
    const weights = randomWeights(node, 127, 0, 11);
    const network = oneLayerNetwork(node, set, weights);
    const ciphertexts = encryptTiles(seal, map, node, tiling, group, set.ringDegree);
    const frame = writeRequest(network, node, set, map, group, ciphertexts);

    const outputs = accumulateResidues(evaluationContext(network), frame);

    const inputs = ciphertexts.map((tile) => tile.map(({ handle }) => seal.transformed(handle)));
    expect(outputs).toHaveLength(group.tiles * node.outChannels);
    for (const { tile, outChannel, c0, c1 } of outputs) {
      const kernels = Array.from({ length: node.inChannels }, (_, channel) =>
        seal.transformedPlain(kernelPolynomial(node, tiling, weights, outChannel, channel, set.ringDegree)),
      );
      const [c0Expected, c1Expected] = seal.coefficients(seal.sumProducts(inputs[tile] ?? [], kernels));
      expectEqual(c0, c0Expected);
      expectEqual(c1, c1Expected);
    }
  });
});

function expectEqual(got: Residues, expected: Residues): void {
  expect(got).toHaveLength(expected.length);
  got.forEach((residues, prime) => {
    expect(residues).toEqual(expected[prime]);
  });
}
