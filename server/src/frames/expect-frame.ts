import { DenoiseError } from '@cipherdose/sdk/errors';
import { layerExchange, planTiling, type LayerExchange, type Tiling } from '@cipherdose/sdk/packing';
import {
  parameterSet,
  type FrameHeader,
  type LinearNode,
  type ParameterSet,
  type Plan,
} from '@cipherdose/sdk/protocol';
import type { HostedModel, ModelSource } from '../model-source.ts';

/** A request that fits an installed model, and everything that both sides know about it. */
export interface ExpectedFrame {
  readonly model: HostedModel;
  readonly node: LinearNode;
  readonly exchange: LayerExchange;
}

/**
 * Finds what a request must say from its address and from the parts of its header that the client may choose: digest,
 * map size and tiles.
 * @throws MODEL_UNKNOWN, FRAME_DIGEST, LAYER_UNKNOWN, FRAME_GEOMETRY; MODE_UNSUPPORTED if the model runs in private mode
 *   only: answers without masks would tell its weights
 */
export function expectFrame(
  models: ModelSource,
  address: { readonly id: string; readonly layer: number },
  header: FrameHeader,
): ExpectedFrame {
  const model = models.byDigest(address.id, header.digest);
  if (!model.modes.includes(model.plan.framework))
    throw new DenoiseError('MODE_UNSUPPORTED', {
      id: address.id,
      mode: model.plan.framework,
      offered: model.modes.join(' '),
    });
  const node = linearNode(model.plan, address.layer);
  const set = parameterSet(model.plan.parameterSet);
  const map = { height: header.mapHeight, width: header.mapWidth };
  const tiling = tilingOf(node, map, set);
  const { firstTile, tiles } = header;
  if (firstTile + tiles > tiling.tiles)
    throw new DenoiseError('FRAME_GEOMETRY', { firstTile, tiles, tilesOfLayer: tiling.tiles });
  return { model, node, exchange: layerExchange(model.digest, node, set, map, tiling, { firstTile, tiles }) };
}

function linearNode(plan: Plan, layer: number): LinearNode {
  const layers = plan.nodes.filter((node) => node.op === 'linear');
  const node = layers[layer];
  if (!node) throw new DenoiseError('LAYER_UNKNOWN', { layer, layers: layers.length });
  return node;
}

// The map size is the client's word, so a layer that cannot be tiled is the client's fault.
function tilingOf(node: LinearNode, map: { height: number; width: number }, set: ParameterSet): Tiling {
  try {
    return planTiling(node, map.height, map.width, set);
  } catch (cause) {
    if (!(cause instanceof DenoiseError)) throw cause;
    throw new DenoiseError('FRAME_GEOMETRY', { mapHeight: map.height, mapWidth: map.width }, { cause });
  }
}
