import { DenoiseError } from '@cipherdose/sdk/errors';
import { frameBytes, layerExchange, outputsPerTile, type LayerExchange } from '@cipherdose/sdk/packing';
import {
  checkFrame,
  decodeFrameHeader,
  encodeFrameHeader,
  frameHeaderBytes,
  limits,
  parameterSet,
  replyCiphertextBytes,
} from '@cipherdose/sdk/protocol';
import type { IntegerNetwork } from '../network/integer-network.ts';
import { CiphertextFinisher } from './finish-ciphertext.ts';
import type { Kernel } from './kernel.ts';
import { findLayer, layerGeometry, type LayerGeometry } from './layer-geometry.ts';
import type { WeightCache } from './layer-weights.ts';
import { loadTiles } from './load-tiles.ts';
import { sumProducts } from './sum-products.ts';
import type { ReplyMasks } from './reply-masks.ts';
import { openWorkspace, type Workspace } from './workspace.ts';

/** What a frame is evaluated with. */
export interface EvaluationContext {
  readonly kernel: Kernel;
  readonly weights: WeightCache;
  readonly network: IntegerNetwork;
  /** The layer in the address of the request. */
  readonly layer: number;
}

/**
 * Evaluates one linear layer on the ciphertexts of a request frame. Nothing is kept but prepared weights.
 * @returns the reply frame
 * @throws LAYER_UNKNOWN, FRAME_*: everything but the residues is checked before any work, and the residues of a batch
 *   of tiles before its first product
 */
export function evaluateFrame(context: EvaluationContext, frame: Uint8Array): Uint8Array<ArrayBuffer> {
  return evaluateRequest(context, checkRequest(context.network, context.layer, frame), frame);
}

/**
 * The same for a request that is checked.
 * @param openMasks gives the masks of private mode for a workspace
 * @throws FRAME_RESIDUE
 */
export function evaluateRequest(
  context: Pick<EvaluationContext, 'kernel' | 'weights'>,
  { layer, exchange }: CheckedRequest,
  frame: Uint8Array,
  openMasks?: (workspace: Workspace) => ReplyMasks,
): Uint8Array<ArrayBuffer> {
  const reply = new Uint8Array(frameBytes(exchange.reply));
  encodeFrameHeader({ kind: 'reply', ...exchange.reply }, reply);
  const { firstTile, tiles } = exchange.request;
  using workspace = openWorkspace(context.kernel, layer, Math.min(tiles, layer.tilesPerBatch));
  using masks = openMasks?.(workspace);
  using finisher = new CiphertextFinisher(workspace, masks);
  const length = replyCiphertextBytes(layer.set, outputsPerTile(layer.tiling));
  for (let first = 0; first < tiles; first += layer.tilesPerBatch) {
    const count = Math.min(layer.tilesPerBatch, tiles - first);
    loadTiles(workspace, frame.subarray(frameHeaderBytes), first, count);
    for (const sum of sumProducts(workspace, context.weights, count)) {
      const place = (first + sum.tile) * layer.node.outChannels + sum.outChannel;
      reply.set(finisher.finish(sum, firstTile + first + sum.tile), frameHeaderBytes + place * length);
    }
  }
  return reply;
}

/** A request whose header, length and geometry fit the plan. */
export interface CheckedRequest {
  readonly layer: LayerGeometry;
  readonly exchange: LayerExchange;
}

/** @throws LAYER_UNKNOWN, FRAME_* but FRAME_RESIDUE */
export function checkRequest(
  network: IntegerNetwork,
  layerNumber: number,
  frame: Uint8Array,
): CheckedRequest {
  const node = findLayer(network, layerNumber);
  const header = decodeFrameHeader(frame, 'request');
  const set = parameterSet(network.plan.parameterSet);
  // What costs nothing first: whose frame it is, and whether it is as long as it says.
  const identity = {
    parameterSetId: set.id,
    digest: network.plan.digest,
    layer: node.layer,
    channels: node.inChannels,
  };
  checkFrame(header, { ...header, ...identity }, frame.length);
  const { mapHeight, mapWidth, firstTile, tiles } = header;
  const layer = layerGeometry(network, node, mapHeight, mapWidth);
  if (firstTile + tiles > layer.tiling.tiles)
    throw new DenoiseError('FRAME_GEOMETRY', { firstTile, tiles, tilesOfLayer: layer.tiling.tiles });
  const map = { height: mapHeight, width: mapWidth };
  const exchange = layerExchange(identity.digest, node, set, map, layer.tiling, { firstTile, tiles });
  checkFrame(header, exchange.request, frame.length);
  for (const expected of [exchange.request, exchange.reply])
    if (frameBytes(expected) > limits.frameBytes)
      throw new DenoiseError('FRAME_GEOMETRY', { tiles, mapHeight, mapWidth });
  return { layer, exchange };
}
