import { parameterSet } from '@cipherdose/sdk/protocol';
import { accumulatorBound } from '@cipherdose/sdk/image';
import type { IntegerNetwork, LinearWeights } from '#server/network/integer-network.js';
import { integers } from './arbitraries.ts';
import { linearNode } from './linear-node.ts';
import { ResidualPlan } from './residual-plan.ts';

export interface PrivateNetworkOptions {
  readonly seed: number;
  readonly parameterSet?: string;
  /** Kernel [rows, columns] of each layer. */
  readonly kernels: readonly (readonly [number, number])[];
  /** Channels between the layers; one fewer than kernels. */
  readonly widths: readonly number[];
  /** Pixel-unshuffle factor. */
  readonly factor: number;
  /** Of the layers but the last, and of the last. */
  readonly clampBits: number;
  readonly lastClampBits: number;
  readonly shift: number;
  /** Range of the weights. */
  readonly weight: number;
}

/** A network with the shape of the one that private mode is measured with: 18 channels would come with noise maps. */
export const benchPrivateNetwork: PrivateNetworkOptions = {
  seed: 1,
  kernels: [
    [5, 9],
    [5, 9],
  ],
  widths: [16],
  factor: 4,
  clampBits: 9,
  lastClampBits: 9,
  shift: 6,
  weight: 20,
};

/**
 * A random network that private mode can run: image, unshuffle, (linear, ReLU and clamp) several times, linear and a
 * clamp with a sign, shuffle, taken from the image. Many activations lie within the clamps, and some beyond.
 */
export function privateNetwork(options: PrivateNetworkOptions): IntegerNetwork {
  const next = integers(options.seed);
  const set = parameterSet(options.parameterSet ?? 'n8192-q108-t26');
  const chain = new ResidualPlan(options.factor);
  const layers: LinearWeights[] = [];
  let { channels } = chain;
  let range = { low: -1024, high: 3071 };
  options.kernels.forEach(([rows, columns], layer) => {
    const last = layer === options.kernels.length - 1;
    const outChannels = last ? options.factor ** 2 : (options.widths[layer] as number);
    const taps = channels * rows * columns;
    const reach = 2 ** (set.plainModulusBits - 2) / Math.max(range.high, -range.low);
    const most = Math.max(1, Math.min(options.weight, Math.floor(reach / taps)));
    const weights: LinearWeights = {
      weights: Int16Array.from({ length: outChannels * taps }, () => next(-most, most)),
      bias: Int32Array.from({ length: outChannels }, () => next(-2000, 2000)),
    };
    const node = linearNode({
      name: `linear${layer}`,
      input: chain.value,
      layer,
      inChannels: channels,
      outChannels,
      kernel: [rows, columns],
      accumulatorBound: accumulatorBound(weights, range),
    });
    layers.push(weights);
    chain.push(node);
    channels = outChannels;
    const half = 2 ** (options.lastClampBits - 1);
    range = last ? { low: -half, high: half - 1 } : { low: 0, high: 2 ** options.clampBits - 1 };
    chain.push({
      op: 'requantise',
      name: `scaled${layer}`,
      input: chain.value,
      positive: [1],
      negative: [last ? 1 : 0],
      shift: options.shift,
      ...range,
    });
  });
  const plan = chain.end({
    id: 'private',
    framework: layers.length === 1 ? 'linear' : 'interactive',
    parameterSet: set.name,
    factor: options.factor,
    shift: 1,
  });
  return { plan, layers };
}
