import { DenoiseError } from '@cipherdose/sdk/errors';
import type { ParameterSet } from '@cipherdose/sdk/protocol';
import { accumulatorBound, largestWeightSum, weightSum, type InputRange } from './bounds.ts';
import type { FloatLinear } from './float-network.ts';
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

/**
 * Integer weights of a layer: for each output channel the finest scale at which no accumulator can reach t/2 and no
 * noise its budget.
 * @param inputScales real value of one unit of each input channel, or a single one for all
 * @throws ACCUMULATOR_BOUND if no scale is left at which the channel has any weight
 */
export function quantiseWeights(
  node: FloatLinear,
  inputScales: ArrayLike<number>,
  range: InputRange,
  set: ParameterSet,
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
    const quantised = finestChannel(real, node.bias[channel] as number, range, set, node.name);
    weights.set(quantised.weights, channel * taps);
    bias[channel] = quantised.bias;
    scales[channel] = quantised.scale;
  }
  return { layer: { weights, bias }, scales };
}

function finestChannel(
  real: Float64Array,
  realBias: number,
  range: InputRange,
  set: ParameterSet,
  node: string,
): { readonly weights: Int16Array; readonly bias: number; readonly scale: number } {
  const mostAccumulator = 2 ** (set.plainModulusBits - 1);
  const mostSum = noiseUse * largestWeightSum(set);
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
