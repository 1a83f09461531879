export { estimateCost, privateTilesPerGroup, tilesPerGroup } from './estimate-cost.ts';
export { frameBytes, layerExchange, type LayerExchange } from './layer-frames.ts';
export { layerTilings, type LayerTiling } from './layer-tilings.ts';
export { readTile, writeTile } from './tile-coefficients.ts';
export { tileGroups, type TileGroup } from './tile-groups.ts';
export {
  kernelIndex,
  outputIndex,
  outputIndices,
  outputSize,
  outputsPerTile,
  planTiling,
  type Tiling,
} from './tiling.ts';
