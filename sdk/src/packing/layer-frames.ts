import {
  frameHeaderBytes,
  replyCiphertextBytes,
  requestCiphertextBytes,
  type FrameExpectation,
  type LinearNode,
  type ParameterSet,
} from '../protocol/index.ts';
import type { TileGroup } from './tile-groups.ts';
import { outputsPerTile, type Tiling } from './tiling.ts';

/** Everything that both sides know about the exchange of one tile group. */
export interface LayerExchange {
  readonly request: FrameExpectation;
  readonly reply: FrameExpectation;
}

/** How one linear layer is exchanged: its tile groups and the lengths of its request and reply frames. */
export function layerExchange(
  digest: string,
  node: LinearNode,
  set: ParameterSet,
  map: { readonly height: number; readonly width: number },
  tiling: Tiling,
  group: TileGroup,
): LayerExchange {
  const common = {
    parameterSetId: set.id,
    digest,
    layer: node.layer,
    mapHeight: map.height,
    mapWidth: map.width,
    firstTile: group.firstTile,
    tiles: group.tiles,
  };
  const up = group.tiles * node.inChannels * requestCiphertextBytes(set);
  const down = group.tiles * node.outChannels * replyCiphertextBytes(set, outputsPerTile(tiling));
  return {
    request: { ...common, channels: node.inChannels, bodyBytes: up },
    reply: { ...common, channels: node.outChannels, bodyBytes: down },
  };
}

/** Bytes of a whole frame. */
export const frameBytes = (expectation: FrameExpectation): number => frameHeaderBytes + expectation.bodyBytes;
