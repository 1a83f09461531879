import { accumulatorBounds } from '@cipherdose/sdk/image';
import { frameBytes, layerExchange, layerTilings, tileGroups, tilesPerGroup } from '@cipherdose/sdk/packing';
import { valueShapes, type ValueShape } from '@cipherdose/sdk/plan';
import { parameterSet, type Plan } from '@cipherdose/sdk/protocol';
import type { QuantisedNetwork } from '../network/quantise.ts';

/** One linear layer as import made it, and what it costs for one slice. */
export interface LayerReport {
  readonly layer: number;
  readonly name: string;
  readonly inChannels: number;
  readonly outChannels: number;
  /** [rows, columns] */
  readonly kernel: readonly [number, number];
  /** Of rows and columns, or [rows, columns] where they differ. */
  readonly stride: number | readonly [number, number];
  /** Integers that go in, and how many bits they take, sign included. */
  readonly inputLow: number;
  readonly inputHigh: number;
  readonly inputBits: number;
  /** Bits of the largest weight, sign apart. */
  readonly weightBits: number;
  /** Proved of every output channel: smallest and largest of the bounds, and t/2, which they stay below. */
  readonly smallestBound: number;
  readonly largestBound: number;
  readonly halfPlainModulus: number;
  readonly noiseMarginBits: number;
  readonly tiles: number;
  readonly ciphertextsUp: number;
  readonly ciphertextsDown: number;
  readonly bytesUp: number;
  readonly bytesDown: number;
  readonly products: number;
}

/** Every linear layer of a quantised network. @param side of the slice, pixels */
export function layerReports(plan: Plan, quantised: QuantisedNetwork, side: number): LayerReport[] {
  const set = parameterSet(plan.parameterSet);
  const shapes = valueShapes(plan);
  return layerTilings(plan, side, side).map(({ node, map, tiling }, layer) => {
    const input = shapes.get(node.input) as ValueShape;
    const weights = quantised.layers[layer] as QuantisedNetwork['layers'][number];
    const bounds = accumulatorBounds(weights, input);
    const exchanges = tileGroups(tiling, tilesPerGroup).map((group) =>
      layerExchange('', node, set, map, tiling, group),
    );
    const bytes = (direction: 'request' | 'reply'): number =>
      exchanges.reduce((sum, exchange) => sum + frameBytes(exchange[direction]), 0);
    const proof = quantised.proofs[layer] as QuantisedNetwork['proofs'][number];
    return {
      layer,
      name: node.name,
      inChannels: node.inChannels,
      outChannels: node.outChannels,
      kernel: node.kernel,
      stride: node.stride[0] === node.stride[1] ? node.stride[0] : node.stride,
      inputLow: input.low,
      inputHigh: input.high,
      inputBits: Math.ceil(Math.log2(Math.max(input.high + 1, -input.low))) + (input.low < 0 ? 1 : 0),
      weightBits: proof.weightBits,
      smallestBound: bounds.reduce((least, bound) => Math.min(least, bound), Infinity),
      largestBound: bounds.reduce((most, bound) => Math.max(most, bound), 0),
      halfPlainModulus: 2 ** (set.plainModulusBits - 1),
      noiseMarginBits: proof.noiseMarginBits,
      tiles: tiling.tiles,
      ciphertextsUp: tiling.tiles * node.inChannels,
      ciphertextsDown: tiling.tiles * node.outChannels,
      bytesUp: bytes('request'),
      bytesDown: bytes('reply'),
      products: tiling.tiles * node.inChannels * node.outChannels,
    };
  });
}
