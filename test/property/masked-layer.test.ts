import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { outputSize } from '@cipherdose/sdk/packing';
import { parameterSet } from '@cipherdose/sdk/protocol';
import { convolveShare } from '#server/network/share-convolution.js';
import { convolution, convolveByDefinition } from '../support/arbitraries.ts';
import { oneLayerNetwork, randomWeights } from '../support/encrypted-layers.ts';
import { linearNode } from '../support/linear-node.ts';
import { openMaskedPair, throughBothSides, uniformShare } from '../support/masked-layers.ts';

const set = parameterSet('n8192-q108-t26');
const t = 2 ** set.plainModulusBits;
const modT = (value: bigint): number => Number(BigInt.asUintN(set.plainModulusBits, value));

describe('a masked layer', () => {
  test('gives the client W (x_C + x_S) + b - r mod t, for any layer and any shares', async () => {
    const pair = await openMaskedPair(set);
    fc.assert(
      fc.property(
        convolution({ maxSide: 130, maxChannels: 3 }),
        fc.boolean(),
        fc.boolean(),
        ({ node, height, width, seed }, withShare, prepared) => {
          const size = outputSize(node, height, width);
          fc.pre(size.height >= 1 && size.width >= 1);
          const inputs = node.inChannels * height * width;
          const outputs = node.outChannels * size.height * size.width;
          const clientShare = uniformShare(inputs, set, seed);
          const hostShare = withShare ? uniformShare(inputs, set, seed + 1) : undefined;
          const mask = uniformShare(outputs, set, seed + 2);
          const weights = randomWeights(node, 63, 9_000_000, seed + 3);
          const network = oneLayerNetwork(node, set, weights);

          const got = throughBothSides(pair, network, node, clientShare, {
            layer: 0,
            mapHeight: height,
            mapWidth: width,
            hostShare,
            mask,
            bias: !prepared,
          });

          // Sums stay below 3 channels x 81 taps x 63 x 2^27 < 2^53, and wrap modulo 2^32 in the Int32Array.
          const data = Int32Array.from(clientShare, (value, i) => value + (hostShare?.[i] ?? 0));
          const sums = convolveByDefinition(
            { channels: node.inChannels, height, width, data },
            node,
            weights.weights,
            new Int32Array(node.outChannels),
          );
          const plane = size.height * size.width;
          const expected = Uint32Array.from(mask, (r, i) => {
            const added = prepared ? 0 : (weights.bias[Math.floor(i / plane)] as number);
            return modT(BigInt(sums.data[i] as number) + BigInt(added) - BigInt(r));
          });
          expect(got).toEqual(expected);
        },
      ),
      { numRuns: 15 },
    );
    pair.sources.zeros[Symbol.dispose]();
    pair.cipher.dispose();
  });

  test('the share of a large layer is convolved exactly modulo t', () => {
    const node = linearNode({ inChannels: 5, outChannels: 3, kernel: [5, 9] });
    const [height, width] = [64, 70];
    const share = uniformShare(5 * height * width, set, 5);
    share.fill(t - 1, 0, 500);
    const weights = randomWeights(node, 32_767, 0, 6);
    const got = convolveShare(share, node, { height, width }, weights);
    // Some outputs by definition, on BigInt.
    for (const [channel, y, x] of [
      [0, 0, 0],
      [1, 3, 69],
      [2, 63, 12],
      [2, 30, 31],
      [0, 1, 5],
    ] as const) {
      let sum = 0n;
      for (let input = 0; input < 5; input++)
        for (let ky = 0; ky < 5; ky++)
          for (let kx = 0; kx < 9; kx++) {
            const [row, column] = [y + ky - 2, x + kx - 4];
            if (row < 0 || column < 0 || row >= height || column >= width) continue;
            const weight = weights.weights[((channel * 5 + input) * 5 + ky) * 9 + kx] as number;
            sum += BigInt(weight) * BigInt(share[(input * height + row) * width + column] as number);
          }
      expect((got[(channel * height + y) * width + x] as number) % t).toBe(modT(sum));
    }
  });
});
