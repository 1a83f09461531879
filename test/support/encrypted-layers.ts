import type { FeatureMap } from '@cipherdose/sdk/image';
import type { CheckedPlan } from '@cipherdose/sdk/plan';
import {
  frameBytes,
  kernelIndex,
  layerExchange,
  planTiling,
  writeTile,
  type TileGroup,
  type Tiling,
} from '@cipherdose/sdk/packing';
import {
  digestOf,
  encodeFrameHeader,
  frameHeaderBytes,
  requestCiphertextBytes,
  residueBits,
  packedBytes,
  parameterSet,
  type LinearNode,
  type ParameterSet,
} from '@cipherdose/sdk/protocol';
import type { EvaluationContext } from '#server/evaluator/evaluate-frame.js';
import { Kernel } from '#server/evaluator/kernel.js';
import { WeightCache } from '#server/evaluator/layer-weights.js';
import type { IntegerNetwork, LinearWeights } from '#server/network/integer-network.js';
import { integers } from './arbitraries.ts';
import { writeBits } from './bit-stream.ts';
import type { SealReference, SeededCiphertext } from './seal-reference.ts';

/** A network of one linear layer; its channels are free, so it is no plan that a client would take. */
export function oneLayerNetwork(node: LinearNode, set: ParameterSet, weights: LinearWeights): IntegerNetwork {
  const plan = {
    format: 'cipherdose-plan/1' as const,
    id: 'one-layer',
    version: '1.0.0',
    framework: 'linear' as const,
    parameterSet: set.name,
    input: { lowHu: -1024, highHu: 3071 },
    nodes: [node],
    output: node.name,
    weightsDigest: digestOf([...weights.weights, ...weights.bias]),
  };
  const checked: CheckedPlan = { ...plan, digest: digestOf(plan) };
  return { plan: checked, layers: [weights] };
}

/** Weights in [-bound, bound] and biases in [-biasBound, biasBound]. */
export function randomWeights(
  node: LinearNode,
  bound: number,
  biasBound: number,
  seed: number,
): LinearWeights {
  const next = integers(seed);
  const count = node.outChannels * node.inChannels * node.kernel[0] * node.kernel[1];
  return {
    weights: Int16Array.from({ length: count }, () => next(-bound, bound)),
    bias: Int32Array.from({ length: node.outChannels }, () => next(-biasBound, biasBound)),
  };
}

/** A context of its own kernel for layer 0. */
export function evaluationContext(network: IntegerNetwork, cacheBytes = 160 * 2 ** 20): EvaluationContext {
  const kernel = new Kernel(parameterSet(network.plan.parameterSet).ringDegree);
  return { kernel, weights: new WeightCache(kernel, cacheBytes), network, layer: 0 };
}

/** The polynomial of one kernel. */
export function kernelPolynomial(
  node: LinearNode,
  tiling: Tiling,
  weights: LinearWeights,
  outChannel: number,
  inChannel: number,
  ringDegree: number,
): Int32Array {
  const polynomial = new Int32Array(ringDegree);
  const [rows, columns] = node.kernel;
  const first = (outChannel * node.inChannels + inChannel) * rows * columns;
  for (let ky = 0; ky < rows; ky++)
    for (let kx = 0; kx < columns; kx++)
      polynomial[kernelIndex(tiling, node, ky, kx)] = weights.weights[first + ky * columns + kx] as number;
  return polynomial;
}

/** Encrypts tiles of a map with node-seal: [tile][channel]. */
export function encryptTiles(
  seal: SealReference,
  map: FeatureMap,
  node: LinearNode,
  tiling: Tiling,
  { firstTile, tiles }: TileGroup,
  ringDegree: number,
): SeededCiphertext[][] {
  const coefficients = new Int32Array(ringDegree);
  return Array.from({ length: tiles }, (_, tile) =>
    Array.from({ length: node.inChannels }, (_, channel) => {
      writeTile(map, channel, firstTile + tile, tiling, node, coefficients);
      return seal.encrypt(coefficients);
    }),
  );
}

/** The request frame of a tile group, written without the client's codec. */
export function writeRequest(
  network: IntegerNetwork,
  node: LinearNode,
  set: ParameterSet,
  map: { readonly height: number; readonly width: number },
  group: TileGroup,
  ciphertexts: readonly (readonly Pick<SeededCiphertext, 'c0' | 'seed'>[])[],
): Uint8Array<ArrayBuffer> {
  const tiling = planTiling(node, map.height, map.width, set);
  const { request } = layerExchange(network.plan.digest, node, set, map, tiling, group);
  const frame = new Uint8Array(frameBytes(request));
  encodeFrameHeader({ kind: 'request', ...request }, frame);
  const primeBytes = packedBytes(set.ringDegree, residueBits(set));
  ciphertexts.flat().forEach(({ c0, seed }, place) => {
    const start = frameHeaderBytes + place * requestCiphertextBytes(set);
    c0.forEach((residues, prime) => {
      frame.set(writeBits(Array.from(residues, BigInt), residueBits(set)), start + prime * primeBytes);
    });
    frame.set(seed, start + c0.length * primeBytes);
  });
  return frame;
}
