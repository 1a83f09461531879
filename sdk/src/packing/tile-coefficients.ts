import type { FeatureMap } from '../image/index.ts';
import type { LinearNode } from '../protocol/index.ts';
import type { Tiling } from './tiling.ts';

/**
 * Writes one tile of one channel as signed polynomial coefficients; what lies outside the map is 0.
 * @param target length N, overwritten
 */
export function writeTile(
  map: FeatureMap,
  channel: number,
  tile: number,
  tiling: Tiling,
  node: Pick<LinearNode, 'stride' | 'padding'>,
  target: Int32Array,
): void {
  target.fill(0);
  const top = Math.floor(tile / tiling.tilesAcross) * tiling.tileRows * node.stride[0] - node.padding[0];
  const left = (tile % tiling.tilesAcross) * tiling.tileColumns * node.stride[1] - node.padding[1];
  const firstColumn = Math.max(0, left);
  const lastColumn = Math.min(map.width, left + tiling.windowColumns);
  if (lastColumn <= firstColumn) return;
  const firstRow = Math.max(0, top);
  const lastRow = Math.min(map.height, top + tiling.windowRows);
  for (let y = firstRow; y < lastRow; y++) {
    const source = (channel * map.height + y) * map.width;
    target.set(
      map.data.subarray(source + firstColumn, source + lastColumn),
      (y - top) * tiling.pitch + firstColumn - left,
    );
  }
}

/**
 * Copies the outputs of one tile and channel into the layer's output map.
 * @param values tileRows * tileColumns accumulators, row-major
 */
export function readTile(
  values: Int32Array,
  channel: number,
  tile: number,
  tiling: Tiling,
  output: FeatureMap,
): void {
  const top = Math.floor(tile / tiling.tilesAcross) * tiling.tileRows;
  const left = (tile % tiling.tilesAcross) * tiling.tileColumns;
  const rows = Math.min(tiling.tileRows, output.height - top);
  const columns = Math.min(tiling.tileColumns, output.width - left);
  for (let y = 0; y < rows; y++)
    output.data.set(
      values.subarray(y * tiling.tileColumns, y * tiling.tileColumns + columns),
      (channel * output.height + top + y) * output.width + left,
    );
}
