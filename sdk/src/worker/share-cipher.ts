import type { SealCipher } from '../he/index.ts';
import type { FeatureMap } from '../image/index.ts';
import {
  layerExchange,
  outputSize,
  planTiling,
  readTile,
  privateTilesPerGroup,
  tileGroups,
  type LayerExchange,
  type TileGroup,
  type Tiling,
} from '../packing/index.ts';
import type { LinearNode, ParameterSet } from '../protocol/index.ts';
import { decryptGroup, encryptGroup } from './layer-cipher.ts';

/** One linear layer of private mode at one map size: what its frames have to say, in the order in which they go. */
export interface ShareLayer {
  readonly set: ParameterSet;
  readonly node: LinearNode;
  readonly map: { readonly height: number; readonly width: number };
  readonly tiling: Tiling;
  readonly groups: readonly ShareGroup[];
}

/** The tiles of one request and its reply. */
export interface ShareGroup {
  readonly group: TileGroup;
  readonly exchange: LayerExchange;
}

/** @param digest of the plan. @throws PLAN_LIMIT */
export function shareLayer(
  set: ParameterSet,
  digest: string,
  node: LinearNode,
  map: { readonly height: number; readonly width: number },
): ShareLayer {
  const tiling = planTiling(node, map.height, map.width, set);
  const groups = tileGroups(tiling, privateTilesPerGroup).map((group) => ({
    group,
    exchange: layerExchange(digest, node, set, map, tiling, group),
  }));
  return { set, node, map, tiling, groups };
}

/**
 * Encrypts the client's share of a layer's input, one request frame for each group.
 * @param share modulo t, [inChannels][height][width]
 */
export function* encryptShare(
  cipher: SealCipher,
  layer: ShareLayer,
  share: Uint32Array<ArrayBuffer>,
): Generator<Uint8Array<ArrayBuffer>> {
  const { set, node, tiling, map } = layer;
  // t is at most 2^31, so a value stands for itself in 32 bits with a sign.
  const data = new Int32Array(share.buffer, share.byteOffset, share.length);
  const features: FeatureMap = { channels: node.inChannels, ...map, data };
  for (const { group, exchange } of layer.groups)
    yield encryptGroup(cipher, {
      kind: 'encrypt',
      set: set.name,
      node,
      tiling,
      group,
      expectation: exchange.request,
      map: features,
    });
}

/**
 * Decrypts the reply to one group into the client's share of the accumulators.
 * @param target modulo t, [outChannels][outHeight][outWidth]; only the tiles of the group are written
 * @throws FRAME_* if the frame is not the reply of the group
 */
export function decryptShare(
  cipher: SealCipher,
  layer: ShareLayer,
  { group, exchange }: ShareGroup,
  frame: Uint8Array<ArrayBuffer>,
  target: Uint32Array<ArrayBuffer>,
): void {
  const { set, node, tiling, map } = layer;
  const values = decryptGroup(cipher, {
    kind: 'decrypt',
    set: set.name,
    node,
    tiling,
    group,
    expectation: exchange.reply,
    frame,
  });
  const mask = 2 ** set.plainModulusBits - 1;
  values.forEach((value, i) => (values[i] = value & mask));
  const size = outputSize(node, map.height, map.width);
  const data = new Int32Array(target.buffer, target.byteOffset, target.length);
  const output: FeatureMap = { channels: node.outChannels, ...size, data };
  const outputs = tiling.tileRows * tiling.tileColumns;
  for (let place = 0; place < group.tiles * node.outChannels; place++) {
    const tile = group.firstTile + Math.floor(place / node.outChannels);
    const channel = place % node.outChannels;
    readTile(values.subarray(place * outputs, (place + 1) * outputs), channel, tile, tiling, output);
  }
}
