import { blockPixels } from '@cipherdose/sdk/image';
import { parameterSet, type LinearNode } from '@cipherdose/sdk/protocol';
import type { IntegerNetwork, LinearWeights } from '#server/network/integer-network.js';
import { integers } from './arbitraries.ts';
import { linearNode } from './linear-node.ts';
import { ResidualPlan } from './residual-plan.ts';

export interface RandomNetworkOptions {
  readonly seed: number;
  readonly parameterSet: string;
  /** Kernel [rows, columns] of each layer. */
  readonly kernels: readonly (readonly [number, number])[];
  /** Channels between the layers; one fewer than kernels. */
  readonly widths: readonly number[];
  /** Pixel-unshuffle factor, 1 for none. */
  readonly factor: number;
  /** Stride [rows, columns] of the first layer; unless it is 1, so is the factor, and the result comes back by a shuffle. */
  readonly stride: readonly [number, number];
  /** 'leaky' or 'square' between layers. */
  readonly activation: 'leaky' | 'square';
}

/**
 * A random network that maps an image to an image of the same size. Weights are as large as the accumulator bound of
 * the parameter set allows, so that the tests work at the edge of what is promised.
 */
export function randomNetwork(options: RandomNetworkOptions): IntegerNetwork {
  const next = integers(options.seed);
  const t = 2 ** parameterSet(options.parameterSet).plainModulusBits;
  const chain = new ResidualPlan(options.factor);
  const layers: LinearWeights[] = [];
  const [down, across] = options.stride;
  const sides = [options.factor * down, options.factor * across] as const;
  let { channels } = chain;
  let bound = 3071;
  options.kernels.forEach(([rows, columns], layer) => {
    const last = layer === options.kernels.length - 1;
    const outChannels = last ? blockPixels(sides) : (options.widths[layer] as number);
    const node = linearNode({
      name: `linear${layer}`,
      input: chain.value,
      layer,
      inChannels: channels,
      outChannels,
      kernel: [rows, columns],
      stride: layer === 0 ? [down, across] : [1, 1],
      accumulatorBound: t / 2 - 1,
    });
    layers.push(randomWeights(node, bound, t, next));
    chain.push(node);
    channels = outChannels;
    chain.push({
      op: 'requantise',
      name: `scaled${layer}`,
      input: chain.value,
      positive: Array.from({ length: channels }, () => next(2 ** 18, 2 ** 20)),
      negative: Array.from({ length: channels }, () => next(-(2 ** 18), 2 ** 20)),
      // Accumulators of random weights grow with the root of the taps, the bound with the taps: so those of some size
      // become hundreds at every layer, however large its kernel, and large ones meet the clamp.
      shift: 20 + Math.log2(t / 2) - 13 - Math.round(Math.log2(taps(node)) / 2),
      low: -1023,
      high: 1023,
    });
    bound = 1023;
    if (last) return;
    if (options.activation === 'square')
      chain.push({
        op: 'polynomial',
        name: `square${layer}`,
        input: chain.value,
        square: 3,
        slope: next(-2000, 2000),
        constant: next(-1000, 1000),
        shift: 11,
        low: -1023,
        high: 1023,
      });
  });
  const plan = chain.end({
    id: 'random',
    framework: layers.length === 1 ? 'linear' : 'interactive',
    parameterSet: options.parameterSet,
    factor: down === across ? sides[0] : sides,
    shift: 4,
  });
  return { plan, layers };
}

const taps = ({ inChannels, kernel: [rows, columns] }: LinearNode): number => inChannels * rows * columns;

function randomWeights(
  node: LinearNode,
  inputBound: number,
  t: number,
  next: (low: number, high: number) => number,
): LinearWeights {
  const room = t / 2 - 2 ** 16;
  const most = Math.max(1, Math.min(32767, Math.floor(room / inputBound / taps(node))));
  return {
    weights: Int16Array.from({ length: node.outChannels * taps(node) }, () => next(-most, most)),
    bias: Int32Array.from({ length: node.outChannels }, () => next(-60_000, 60_000)),
  };
}

/** The smallest network that unshuffles: one 3x3 layer. */
export const oneLayerNetwork = (seed: number): IntegerNetwork =>
  randomNetwork({
    seed,
    parameterSet: 'n4096-q60-t31',
    kernels: [[3, 3]],
    widths: [],
    factor: 2,
    stride: [1, 1],
    activation: 'leaky',
  });
