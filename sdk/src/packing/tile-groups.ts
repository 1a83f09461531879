import type { Tiling } from './tiling.ts';

/** Consecutive tiles of one layer that travel in one request. */
export interface TileGroup {
  readonly firstTile: number;
  readonly tiles: number;
}

/** Cuts the tiles of a layer into groups of nearly equal size, at most `most` tiles each. */
export function tileGroups(tiling: Tiling, most: number): TileGroup[] {
  const groups = Math.ceil(tiling.tiles / most);
  return Array.from({ length: groups }, (_, group) => {
    const firstTile = Math.floor((group * tiling.tiles) / groups);
    return { firstTile, tiles: Math.floor(((group + 1) * tiling.tiles) / groups) - firstTile };
  });
}
