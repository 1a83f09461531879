import { DenoiseError } from '@cipherdose/sdk/errors';
import { planTiling, type Tiling } from '@cipherdose/sdk/packing';
import {
  isPrivateSet,
  limits,
  parameterSet,
  type LinearNode,
  type ParameterSet,
} from '@cipherdose/sdk/protocol';
import type { IntegerNetwork, LinearWeights } from '../network/integer-network.ts';

/** Bytes of one polynomial of N residues in the kernel. */
export const polynomialBytes = ({ ringDegree }: { readonly ringDegree: number }): number => 4 * ringDegree;
/** Distance of two output polynomials: `outputStride` in assembly/accumulate.ts. */
export const outputStride = (ring: { readonly ringDegree: number }): number => polynomialBytes(ring) + 64;

// Bounds on one block of prepared weights and of outputs, and on the inputs held at a time.
const blockBytes = 32 * 2 ** 20;
/** A session of private mode has a kernel of its own, so many of them have to fit into memory. */
const privateBlockBytes = 8 * 2 ** 20;
const inputBytes = 64 * 2 ** 20;

/** One linear layer of a network at one map size. */
export interface LayerGeometry {
  readonly node: LinearNode;
  readonly weights: LinearWeights;
  readonly set: ParameterSet;
  readonly digest: string;
  readonly tiling: Tiling;
  /** Output channels whose weights are prepared, and whose outputs are held, together. */
  readonly outChannelsPerBlock: number;
  /** Tiles whose inputs are held together: 1 or an even number. */
  readonly tilesPerBatch: number;
}

/** @throws LAYER_UNKNOWN */
export function findLayer(network: IntegerNetwork, layer: number): LinearNode {
  const node = network.plan.nodes.find((candidate) => candidate.op === 'linear' && candidate.layer === layer);
  if (node?.op !== 'linear')
    throw new DenoiseError('LAYER_UNKNOWN', { layer, layers: network.layers.length });
  return node;
}

/** @throws FRAME_GEOMETRY if the map does not suit the layer */
export function layerGeometry(
  network: IntegerNetwork,
  node: LinearNode,
  height: number,
  width: number,
): LayerGeometry {
  const weights = network.layers[node.layer];
  if (!weights) throw new DenoiseError('LAYER_UNKNOWN', { layer: node.layer, layers: network.layers.length });
  const set = parameterSet(network.plan.parameterSet);
  const rowBytes = set.primes.length * node.inChannels * polynomialBytes(set);
  const mostOutputBytes = set.primes.length * limits.tilesPerRequest * 2 * outputStride(set);
  const mostBytes = isPrivateSet(set) ? privateBlockBytes : blockBytes;
  const fitting = Math.min(Math.floor(mostBytes / rowBytes), Math.floor(mostBytes / mostOutputBytes));
  const tiles = Math.floor(inputBytes / (2 * rowBytes));
  return {
    node,
    weights,
    set,
    digest: network.plan.digest,
    tiling: tilingOf(node, height, width, set),
    outChannelsPerBlock: Math.min(node.outChannels, Math.max(1, fitting)),
    tilesPerBatch: Math.min(limits.tilesPerRequest, Math.max(1, tiles - (tiles % 2))),
  };
}

function tilingOf(node: LinearNode, height: number, width: number, set: ParameterSet): Tiling {
  try {
    return planTiling(node, height, width, set);
  } catch (error) {
    throw new DenoiseError('FRAME_GEOMETRY', { mapHeight: height, mapWidth: width }, { cause: error });
  }
}
