import { parameterSet, type Cost, type Plan } from '../protocol/index.ts';
import { frameBytes, layerExchange } from './layer-frames.ts';
import { layerTilings } from './layer-tilings.ts';
import { tileGroups } from './tile-groups.ts';

/** Tiles of one request that the client asks for: few enough to overlap, enough to use each weight several times. */
export const tilesPerGroup = 4;
/** The same in private mode, whose ciphertexts are five times as long and are held by the host one session at a time. */
export const privateTilesPerGroup = 2;

/** Rounds, ciphertexts, bytes and products of one slice of `height` x `width` pixels, exactly as the client sends it. */
export function estimateCost(plan: Plan, height: number, width: number): Cost {
  const set = parameterSet(plan.parameterSet);
  const cost = { rounds: 0, ciphertextsUp: 0, ciphertextsDown: 0, bytesUp: 0, bytesDown: 0, products: 0 };
  for (const { node, map, tiling } of layerTilings(plan, height, width)) {
    cost.rounds += 1;
    cost.ciphertextsUp += tiling.tiles * node.inChannels;
    cost.ciphertextsDown += tiling.tiles * node.outChannels;
    cost.products += tiling.tiles * node.inChannels * node.outChannels;
    for (const group of tileGroups(tiling, tilesPerGroup)) {
      const exchange = layerExchange('', node, set, map, tiling, group);
      cost.bytesUp += frameBytes(exchange.request);
      cost.bytesDown += frameBytes(exchange.reply);
    }
  }
  return cost;
}
