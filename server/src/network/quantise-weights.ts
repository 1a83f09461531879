import { DenoiseError } from '@cipherdose/sdk/errors';
import { accumulatorBound, type ValueRange } from '@cipherdose/sdk/image';
import type { ParameterSet } from '@cipherdose/sdk/protocol';
import { largestWeightSum, weightSum } from './bounds.ts';
import type { FloatConvolution, FloatLinear } from './float-network.ts';
import type { LinearWeights } from './integer-network.ts';

const largestWeight = 32767;
const largestBias = 2 ** 30;
/** Part of the noise budget of the weights that is used. */
const noiseUse = 0.99;
/** Step by which a scale is coarsened until its channel is proved. */
const coarsen = 1.0002;

export interface QuantisedWeights {
  readonly layer: LinearWeights;
  /** Real value of one unit of each output channel's accumulator. */
  readonly scales: Float64Array;
}

/** What no output channel of a layer may reach. */
export interface WeightLimits {
  /** |accumulator| */
  readonly accumulator: number;
  /** Sum of |w|. */
  readonly sum: number;
}

/** Of a layer on ciphertexts: t/2, and what the noise has room for. */
export const encryptedLimits = (set: ParameterSet): WeightLimits => ({
  accumulator: 2 ** (set.plainModulusBits - 1),
  sum: noiseUse * largestWeightSum(set),
});

/** Of a layer that the client does: sums are doubles. */
export const clearLimits: WeightLimits = Object.freeze({ accumulator: 2 ** 50, sum: Infinity });

/**
 * Integer weights of a layer: for each output channel the finest scale at which it stays below the limits.
 * @param inputScales real value of one unit of each input channel, or a single one for all
 * @throws ACCUMULATOR_BOUND if no scale is left at which the channel has any weight
 */
export function quantiseWeights(
  node: FloatLinear | FloatConvolution,
  inputScales: ArrayLike<number>,
  range: ValueRange,
  limits: WeightLimits,
): QuantisedWeights {
  const taps = node.weights.length / node.outChannels;
  const tapsOfInput = taps / node.inChannels;
  const weights = new Int16Array(node.weights.length);
  const bias = new Int32Array(node.outChannels);
  const scales = new Float64Array(node.outChannels);
  for (let channel = 0; channel < node.outChannels; channel++) {
    // The input's scales go into the weights, so that the sum is over integers.
    const real = Float64Array.from(
      node.weights.subarray(channel * taps, (channel + 1) * taps),
      (weight, i) => weight * ((inputScales[Math.floor(i / tapsOfInput)] ?? inputScales[0]) as number),
    );
    const quantised = finestChannel(real, node.bias[channel] as number, range, limits, node.name);
    weights.set(quantised.weights, channel * taps);
    bias[channel] = quantised.bias;
    scales[channel] = quantised.scale;
  }
  return { layer: { weights, bias }, scales };
}

function finestChannel(
  real: Float64Array,
  realBias: number,
  range: ValueRange,
  { accumulator: mostAccumulator, sum: mostSum }: WeightLimits,
  node: string,
): { readonly weights: Int16Array; readonly bias: number; readonly scale: number } {
  const exact = { weights: real, bias: [realBias] };
  const largest = real.reduce((most, weight) => Math.max(most, Math.abs(weight)), 0);
  if (largest === 0 && realBias === 0) return { weights: new Int16Array(real.length), bias: 0, scale: 1 };
  // What the real weights need; rounding them may need a little more.
  let scale = Math.max(
    largest / largestWeight,
    Math.abs(realBias) / largestBias,
    accumulatorBound(exact, range) / mostAccumulator,
    weightSum(exact) / mostSum,
  );
  for (; ; scale *= coarsen) {
    const weights = Int16Array.from(real, (weight) => Math.round(weight / scale));
    if (largest > 0 && weights.every((weight) => weight === 0))
      throw new DenoiseError('ACCUMULATOR_BOUND', { node, most: mostAccumulator });
    const bias = Math.round(realBias / scale);
    const layer = { weights, bias: [bias] };
    if (accumulatorBound(layer, range) < mostAccumulator && weightSum(layer) < mostSum)
      return { weights, bias, scale };
  }
}
