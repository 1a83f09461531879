import { convolve as convolveInDoubles, type Convolution, type FeatureMap } from '@cipherdose/sdk/image';
import { outputSize } from '@cipherdose/sdk/packing';
import { correlateIntegers } from './integer-correlate.ts';
import type { LinearWeights } from './integer-network.ts';

/**
 * One linear layer on plain integers: what the encrypted evaluation has to equal bit for bit.
 * @param map inChannels x height x width
 * @returns accumulators; exact because the proved bound keeps every sum below 2^31
 */
export function convolve(map: FeatureMap, node: Convolution, layer: LinearWeights): FeatureMap {
  const data = correlateIntegers(map, node, layer);
  if (!data) return convolveInDoubles(map, node, layer);
  return { channels: node.outChannels, ...outputSize(node, map.height, map.width), data };
}
