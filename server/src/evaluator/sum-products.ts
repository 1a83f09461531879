import { outputStride } from './layer-geometry.ts';
import type { WeightCache } from './layer-weights.ts';
import type { Workspace } from './workspace.ts';

/** One output ciphertext in the NTT domain. Its polynomials are overwritten by whoever reads them. */
export interface ProductSum {
  /** Index among the loaded tiles. */
  readonly tile: number;
  readonly outChannel: number;
  /** Address of c0 modulo the first prime. */
  readonly c0: number;
  /** Address of c1 modulo the first prime. */
  readonly c1: number;
  /** Distance from one prime to the next. */
  readonly primeStride: number;
}

/** Multiplies the loaded tiles with all weights of the layer and sums over the input channels. */
export function* sumProducts(
  workspace: Workspace,
  weights: WeightCache,
  tiles: number,
): Generator<ProductSum> {
  const { layer } = workspace;
  const stride = outputStride(layer.set);
  for (let first = 0; first < layer.node.outChannels; first += layer.outChannelsPerBlock) {
    const outChannels = accumulateBlock(workspace, weights, tiles, first);
    for (let out = 0; out < outChannels; out++)
      for (let tile = 0; tile < tiles; tile++) {
        const c0 = workspace.outputs + (out * tiles + tile) * 2 * stride;
        yield {
          tile,
          outChannel: first + out,
          c0,
          c1: c0 + stride,
          primeStride: workspace.outputPrimeBytes,
        };
      }
  }
}

/** @returns the number of output channels of the block */
function accumulateBlock(
  workspace: Workspace,
  weights: WeightCache,
  tiles: number,
  firstOutChannel: number,
): number {
  const { kernel, layer, parameters } = workspace;
  const prepared = weights.get(layer, firstOutChannel);
  parameters.primes.forEach(({ table }, prime) => {
    kernel.call.accumulate(
      workspace.inputs + prime * workspace.inputPrimeBytes,
      prepared.region.address + prime * prepared.primeBytes,
      workspace.outputs + prime * workspace.outputPrimeBytes,
      layer.node.inChannels,
      prepared.outChannels,
      tiles,
      table,
    );
  });
  return prepared.outChannels;
}
