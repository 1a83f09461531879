import { describe, expect, test } from '@jest/globals';
import { layerExchange, outputsPerTile, planTiling } from '@cipherdose/sdk/packing';
import {
  encodeFrameHeader,
  frameHeaderBytes,
  parameterSet,
  replyCiphertextBytes,
  requestCiphertextBytes,
  type LinearNode,
} from '@cipherdose/sdk/protocol';
import { evaluateFrame } from '#server/evaluator/evaluate-frame.js';
import { layerGeometry } from '#server/evaluator/layer-geometry.js';
import type { IntegerNetwork } from '#server/network/integer-network.js';
import { evaluationContext, oneLayerNetwork, randomWeights } from '../../support/encrypted-layers.ts';

const set = parameterSet('n4096-q60-t28');
const layerOf = (inChannels: number, outChannels: number): LinearNode => ({
  op: 'linear',
  name: 'layer',
  input: 'image',
  layer: 0,
  inChannels,
  outChannels,
  kernel: [3, 1],
  stride: [1, 1],
  padding: [1, 0, 1, 0],
  accumulatorBound: 0,
});
const map = { height: 200, width: 100 };

/** Tiles of random residues; the same tile is the same in every frame. */
function requestFrame(network: IntegerNetwork, node: LinearNode, firstTile: number, tiles: number) {
  const tiling = planTiling(node, map.height, map.width, set);
  const { request } = layerExchange(network.plan.digest, node, set, map, tiling, { firstTile, tiles });
  const frame = new Uint8Array(frameHeaderBytes + request.bodyBytes);
  const words = new Uint32Array(frame.buffer, frameHeaderBytes);
  const tileWords = (node.inChannels * requestCiphertextBytes(set)) / 4;
  for (let tile = 0; tile < tiles; tile++) {
    let state = firstTile + tile;
    for (let i = tile * tileWords; i < (tile + 1) * tileWords; i++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      // Sparse bits: no 30-bit residue can have all of its upper bits set.
      words[i] = state & 0x55555555;
    }
  }
  encodeFrameHeader({ kind: 'request', ...request }, frame);
  return frame;
}

const ciphertextLength = (node: LinearNode): number =>
  replyCiphertextBytes(set, outputsPerTile(planTiling(node, map.height, map.width, set)));

describe('evaluateFrame', () => {
  test('tiles in batches and channels in blocks give what each gives alone', () => {
    const node = layerOf(301, 5);
    const network = oneLayerNetwork(node, set, randomWeights(node, 90, 90, 2));
    expect(layerGeometry(network, node, map.height, map.width)).toMatchObject({
      tilesPerBatch: 2,
      outChannelsPerBlock: 3,
    });
    const context = evaluationContext(network, 40 * 2 ** 20);
    const together = evaluateFrame(context, requestFrame(network, node, 1, 3)).subarray(frameHeaderBytes);
    const tileLength = node.outChannels * ciphertextLength(node);
    for (let tile = 0; tile < 3; tile++) {
      const alone = evaluateFrame(context, requestFrame(network, node, 1 + tile, 1)).subarray(
        frameHeaderBytes,
      );
      expect(Buffer.compare(alone, together.subarray(tile * tileLength, (tile + 1) * tileLength))).toBe(0);
    }
    // The last output channel, in a network of its own.
    const perChannel = node.inChannels * 3;
    const [weights] = network.layers;
    const last = { ...node, outChannels: 1 };
    const single = oneLayerNetwork(last, set, {
      weights: weights?.weights.slice(4 * perChannel) ?? new Int16Array(),
      bias: weights?.bias.slice(4) ?? new Int32Array(),
    });
    const alone = evaluateFrame(evaluationContext(single), requestFrame(single, last, 1, 1)).subarray(
      frameHeaderBytes,
    );
    expect(
      Buffer.compare(alone, together.subarray(4 * ciphertextLength(node), 5 * ciphertextLength(node))),
    ).toBe(0);
  });

  test('memory and prepared weights stay bounded', () => {
    const node = layerOf(2, 2);
    const networks = [1, 2, 3, 4, 5, 6].map((seed) =>
      oneLayerNetwork(node, set, randomWeights(node, 90, 90, seed)),
    );
    const first = networks[0] as IntegerNetwork;
    const weightBytes = 2 * 2 * set.primes.length * 4 * set.ringDegree;
    const context = evaluationContext(first, 3 * weightBytes);
    const run = (network: IntegerNetwork) =>
      evaluateFrame({ ...context, network }, requestFrame(network, node, 0, 2));
    const reply = run(first);
    for (const network of networks) run(network);
    expect(context.weights.bytes).toBe(3 * weightBytes);
    const { memoryBytes, usedBytes } = context.kernel;
    for (const network of [...networks, ...networks]) run(network);
    expect(context.kernel).toMatchObject({ memoryBytes, usedBytes });
    expect(context.weights.bytes).toBe(3 * weightBytes);
    // Evicted weights are made again, the same.
    expect(Buffer.compare(run(first), reply)).toBe(0);
  });
});
