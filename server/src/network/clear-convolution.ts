import { outputSize } from '@cipherdose/sdk/packing';
import { emptyMap, type FeatureMap } from '@cipherdose/sdk/image';
import { correlate, type Convolution } from './correlate.ts';
import { correlateIntegers } from './integer-correlate.ts';
import type { LinearWeights } from './integer-network.ts';

/**
 * One linear layer on plain integers: what the encrypted evaluation has to equal bit for bit.
 * @param map inChannels x height x width
 * @returns accumulators; exact because the proved bound keeps every sum below 2^31
 */
export function convolve(map: FeatureMap, node: Convolution, layer: LinearWeights): FeatureMap {
  const size = outputSize(node, map.height, map.width);
  const fast = correlateIntegers(map, node, layer);
  if (fast) return { channels: node.outChannels, ...size, data: fast };
  const output = emptyMap(node.outChannels, size.height, size.width);
  correlate(map, node, layer.weights, layer.bias, (row, channel, y) => {
    output.data.set(row, (channel * size.height + y) * size.width);
  });
  return output;
}
