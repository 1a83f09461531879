import { planTiling, type Tiling } from '@cipherdose/sdk/packing';
import { frameHeaderBytes, parameterSet, type LinearNode } from '@cipherdose/sdk/protocol';
import { checkRequest, evaluateFrame } from '#server/evaluator/evaluate-frame.js';
import { loadTiles } from '#server/evaluator/load-tiles.js';
import { sumProducts } from '#server/evaluator/sum-products.js';
import { openWorkspace } from '#server/evaluator/workspace.js';
import type { LinearWeights } from '#server/network/integer-network.js';
import { randomMap } from '../support/arbitraries.ts';
import {
  encryptTiles,
  evaluationContext,
  kernelPolynomial,
  oneLayerNetwork,
  randomWeights,
  writeRequest,
} from '../support/encrypted-layers.ts';
import { accumulateResidues, type OutputResidues } from '../support/kernel-residues.ts';
import {
  openSealReference,
  type Residues,
  type SealReference,
  type SeededCiphertext,
} from '../support/seal-reference.ts';

export interface KernelBenchmark {
  readonly parameterSet: string;
  /** Microseconds of one ciphertext x plaintext product and its addition, all primes: the best of several rounds. */
  readonly kernelMicroseconds: number;
  readonly sealMicroseconds: number;
  readonly ratio: number;
  /** Every output residue that was compared is the same. */
  readonly bitEqual: boolean;
  /** One whole request, from frame to frame, weights prepared: the best of several rounds. */
  readonly layer: {
    readonly tiles: number;
    readonly inChannels: number;
    readonly outChannels: number;
    readonly milliseconds: number;
  };
  /** Transforming the weights of the layer once. */
  readonly weightsMilliseconds: number;
}

const set = parameterSet('n4096-q60-t31');
const node: LinearNode = {
  op: 'linear',
  name: 'layer',
  input: 'image',
  layer: 0,
  inChannels: 32,
  outChannels: 32,
  kernel: [5, 5],
  stride: [1, 1],
  padding: [2, 2, 2, 2],
  accumulatorBound: 0,
};
const map = { height: 128, width: 128 };
const rounds = 12;
/** Output ciphertexts of a tile that node-seal computes and that are compared. */
const sealOutputs = 4;

/** One layer of 32 -> 32 channels, 5x5, on a 128x128 map: the kernel and node-seal in the same run. */
export async function benchKernel(): Promise<KernelBenchmark> {
  const seal = await openSealReference(set);
  const tiling = planTiling(node, map.height, map.width, set);
  const group = { firstTile: 0, tiles: Math.min(5, tiling.tiles) };
  const weights = randomWeights(node, 127, 1000, 1);
  const network = oneLayerNetwork(node, set, weights);
  const input = randomMap(node.inChannels, map.height, map.width, 500, 2);
  const ciphertexts = encryptTiles(seal, input, node, tiling, group, set.ringDegree);
  const frame = writeRequest(network, node, set, map, group, ciphertexts);
  const context = evaluationContext(network);
  const { layer } = checkRequest(network, 0, frame);
  const weightsMilliseconds = elapsed(() => context.weights.get(layer, 0));
  const outputs = accumulateResidues(context, frame);
  const reference = sealReference(seal, weights, ciphertexts, layer.tiling);

  const { tiles } = group;
  using workspace = openWorkspace(context.kernel, layer, tiles);
  loadTiles(workspace, frame.subarray(frameHeaderBytes), 0, tiles);
  let sealMilliseconds = Infinity;
  let kernelMilliseconds = Infinity;
  let bitEqual = true;
  // In turns, so that both see the same machine.
  for (let round = 0; round < rounds; round++) {
    kernelMilliseconds = Math.min(
      kernelMilliseconds,
      elapsed(() => Array.from(sumProducts(workspace, context.weights, tiles))),
    );
    const tile = round % tiles;
    sealMilliseconds = Math.min(
      sealMilliseconds,
      elapsed(() => reference.sumProducts(tile)),
    );
    bitEqual &&= reference.equals(outputs.filter((output) => output.tile === tile));
  }
  const layerMilliseconds = Array.from({ length: rounds }, () =>
    elapsed(() => evaluateFrame(context, frame)),
  );
  const kernelMicroseconds = (1000 * kernelMilliseconds) / (tiles * node.inChannels * node.outChannels);
  const sealMicroseconds = (1000 * sealMilliseconds) / (sealOutputs * node.inChannels);
  return {
    parameterSet: set.name,
    kernelMicroseconds,
    sealMicroseconds,
    ratio: sealMicroseconds / kernelMicroseconds,
    bitEqual,
    layer: {
      tiles,
      inChannels: node.inChannels,
      outChannels: node.outChannels,
      milliseconds: Math.min(...layerMilliseconds),
    },
    weightsMilliseconds,
  };
}

function elapsed(work: () => unknown): number {
  const start = performance.now();
  work();
  return performance.now() - start;
}

/** The first output channels of the layer, on node-seal. */
function sealReference(
  seal: SealReference,
  weights: LinearWeights,
  ciphertexts: readonly (readonly SeededCiphertext[])[],
  tiling: Tiling,
) {
  const kernels = Array.from({ length: sealOutputs }, (_, out) =>
    Array.from({ length: node.inChannels }, (_, channel) =>
      seal.transformedPlain(kernelPolynomial(node, tiling, weights, out, channel, set.ringDegree)),
    ),
  );
  const inputs = ciphertexts.map((tile) => tile.map(({ handle }) => seal.transformed(handle)));
  let sums: ReturnType<SealReference['sumProducts']>[] = [];
  return {
    sumProducts(tile: number): void {
      sums = kernels.map((plaintexts) => seal.sumProducts(inputs[tile] ?? [], plaintexts));
    },
    /** Compares the sums made last with the outputs of the same tile, in order of channels, and frees them. */
    equals(outputs: readonly OutputResidues[]): boolean {
      const same = sums.map((sum, out) => {
        const [c0, c1] = seal.coefficients(sum);
        sum.delete();
        const got = outputs[out];
        return got !== undefined && equalResidues(got.c0, c0) && equalResidues(got.c1, c1);
      });
      return same.every(Boolean);
    },
  };
}

const equalResidues = (a: Residues, b: Residues): boolean =>
  a.every((residues, prime) => residues.every((residue, i) => residue === b[prime]?.[i]));
