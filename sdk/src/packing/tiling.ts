import { DenoiseError } from '../errors/index.ts';
import { windowedSize, type Convolution } from '../image/index.ts';
import {
  limits,
  replyCiphertextBytes,
  requestCiphertextBytes,
  type ParameterSet,
} from '../protocol/index.ts';

/**
 * How a convolution over a map is cut into polynomials of degree N.
 * Coefficient packing, Cheetah (USENIX Security 2022) section 3: pixel (y, x) of a tile stands at y * pitch + x, the
 * kernel is reversed, and the output (y, x) is read at {@link outputIndex}. No rotations are needed.
 */
export interface Tiling {
  /** Size of the layer's output map. */
  readonly outHeight: number;
  readonly outWidth: number;
  /** Outputs of a tile; tiles at the lower and right edge may carry some that are cut off. */
  readonly tileRows: number;
  readonly tileColumns: number;
  /** Input window of a tile, halo and zero padding included. */
  readonly windowRows: number;
  readonly windowColumns: number;
  /** Distance of two rows of the window in the polynomial. Rows share zero padding where both have some. */
  readonly pitch: number;
  readonly tilesDown: number;
  readonly tilesAcross: number;
  readonly tiles: number;
}

/** Size of the output of a convolution; not positive if the kernel does not fit. */
export const outputSize = (
  node: Pick<Convolution, 'kernel' | 'stride' | 'padding'>,
  height: number,
  width: number,
): { height: number; width: number } => windowedSize(node, height, width);

/**
 * Finds the tiling with the fewest bytes both ways. Deterministic: client and host plan the same.
 * @throws PLAN_LIMIT if the kernel does not fit into the map or the ring, or the layer needs too many ciphertexts
 */
export function planTiling(node: Convolution, height: number, width: number, set: ParameterSet): Tiling {
  const output = outputSize(node, height, width);
  if (output.height < 1 || output.width < 1)
    throw new DenoiseError('PLAN_LIMIT', { height, width, reason: 'kernel' });
  let best: Tiling | undefined;
  let bestBytes = Infinity;
  for (let across = 1; across <= output.width; across++) {
    const tiling = tilingWithColumns(node, width, output, across, set.ringDegree);
    if (!tiling) continue;
    const bytes = tilingBytes(tiling, node, set);
    if (bytes < bestBytes) [best, bestBytes] = [tiling, bytes];
    // More columns only add halo once everything fits into single rows of tiles.
    if (tiling.tilesDown === 1) break;
  }
  if (!best) throw new DenoiseError('PLAN_LIMIT', { kernel: node.kernel.join('x'), reason: 'ring degree' });
  const ciphertexts = best.tiles * Math.max(node.inChannels, node.outChannels);
  if (ciphertexts > limits.ciphertextsPerLayer) throw new DenoiseError('PLAN_LIMIT', { ciphertexts });
  return best;
}

function tilingWithColumns(
  node: Convolution,
  width: number,
  output: { height: number; width: number },
  across: number,
  ringDegree: number,
): Tiling | undefined {
  const [kernelRows, kernelColumns] = node.kernel;
  const [strideRows, strideColumns] = node.stride;
  const tileColumns = Math.ceil(output.width / across);
  const tilesAcross = Math.ceil(output.width / tileColumns);
  const windowColumns = (tileColumns - 1) * strideColumns + kernelColumns;
  const left = node.padding[1];
  const rightZeros = windowColumns - left - width;
  const shared = tilesAcross === 1 ? Math.max(0, Math.min(left, rightZeros)) : 0;
  const pitch = windowColumns - shared;
  // (windowRows - 1) * pitch + windowColumns <= N
  const mostWindowRows = Math.floor((ringDegree - windowColumns) / pitch) + 1;
  if (windowColumns > ringDegree || mostWindowRows < kernelRows) return undefined;
  const mostRows = Math.floor((mostWindowRows - kernelRows) / strideRows) + 1;
  const tilesDown = Math.ceil(output.height / mostRows);
  const tileRows = Math.ceil(output.height / tilesDown);
  return {
    outHeight: output.height,
    outWidth: output.width,
    tileRows,
    tileColumns,
    windowRows: (tileRows - 1) * strideRows + kernelRows,
    windowColumns,
    pitch,
    tilesDown: Math.ceil(output.height / tileRows),
    tilesAcross,
    tiles: Math.ceil(output.height / tileRows) * tilesAcross,
  };
}

function tilingBytes(tiling: Tiling, node: Convolution, set: ParameterSet): number {
  const up = node.inChannels * requestCiphertextBytes(set);
  const down = node.outChannels * replyCiphertextBytes(set, outputsPerTile(tiling));
  return tiling.tiles * (up + down);
}

/** Values that the reply of one tile and channel carries, row-major. */
export const outputsPerTile = (tiling: Tiling): number => tiling.tileRows * tiling.tileColumns;

/** Coefficient of the product at which output (y, x) of a tile stands. */
export const outputIndex = (tiling: Tiling, node: Convolution, y: number, x: number): number =>
  (y * node.stride[0] + node.kernel[0] - 1) * tiling.pitch + x * node.stride[1] + node.kernel[1] - 1;

/** Coefficient of the kernel polynomial at which tap (ky, kx) stands: the kernel is reversed. */
export const kernelIndex = (tiling: Tiling, node: Convolution, ky: number, kx: number): number =>
  (node.kernel[0] - 1 - ky) * tiling.pitch + node.kernel[1] - 1 - kx;

/** All {@link outputIndex} of a tile, row-major: what the host keeps of c0. */
export function outputIndices(tiling: Tiling, node: Convolution): Uint32Array {
  const indices = new Uint32Array(outputsPerTile(tiling));
  let next = 0;
  for (let y = 0; y < tiling.tileRows; y++)
    for (let x = 0; x < tiling.tileColumns; x++) indices[next++] = outputIndex(tiling, node, y, x);
  return indices;
}
