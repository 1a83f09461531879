import { DenoiseError } from '@cipherdose/sdk/errors';
import { accumulatorBound, type ConvolutionWeights, type ValueRange } from '@cipherdose/sdk/image';
import { isPrivateSet, type ParameterSet, type PrivateParameterSet } from '@cipherdose/sdk/protocol';

/** @throws ACCUMULATOR_BOUND unless every accumulator stays below t/2, so that none can wrap modulo t. */
export function proveAccumulators(layer: ConvolutionWeights, range: ValueRange, set: ParameterSet): number {
  const bound = accumulatorBound(layer, range);
  const most = 2 ** (set.plainModulusBits - 1);
  if (!(bound < most)) throw new DenoiseError('ACCUMULATOR_BOUND', { bound, most });
  return bound;
}

// SEAL draws fresh noise from a centred binomial distribution of 21 + 21 bits, so |e| <= 21; encoding m as
// round(q/t * m) adds at most 1/2.
const freshNoise = 21.5;

/** An event counts as impossible if its probability is at most 2^-this for one coefficient. */
const failureBits = 128;

/**
 * What the noise of a layer's reply is made of. BFV decrypts c0 + c1*s = q/t*m + v to m while |v| < q/(2t), and
 * after a layer v holds
 * - fresh noise and encoding, multiplied by the weights: at most 21.5 * sum|w| in one output channel;
 * - integer rounding in the client's lift and decryption: 4 at most; and the host's fractions of q, in units of 2^-64
 *   and two units short a prime at most, to which the bias is added: q / 2^64 times twice the number of primes;
 * - c0 rounded to c0Bits: at most q / 2^(c0Bits+1);
 * - c1 rounded to c1Bits, then multiplied by the secret. Each of the N rounding errors is at most
 *   q / 2^(c1Bits+1) + 1/2 and does not depend on s, whose coefficients are independent, uniform in {-1, 0, 1}. By
 *   Hoeffding's inequality (1963, theorem 2) their sum leaves
 *   sqrt(N * (128 + 1) * ln 2 / 2) * (q / 2^c1Bits + 1) with probability 2^-128 at most;
 * - in private mode the flood, 2^(floodBits-1) at most, the encryption of zero ({@link zeroNoise}), and 1/2 for encoding
 *   the mask.
 * @returns `most`: the noise at which decryption may fail, and `rounding`: the part that no weight changes
 */
function noiseBudget(set: ParameterSet): { readonly most: number; readonly rounding: number } {
  const q = set.primes.reduce((product, prime) => product * prime, 1);
  const rounding = 4 + (2 * set.primes.length * q) / 2 ** 64;
  const masks = isPrivateSet(set) ? 2 ** (set.floodBits - 1) + zeroNoise(set) + 0.5 : 0;
  return {
    most: q / 2 ** (set.plainModulusBits + 1),
    rounding: rounding + q / 2 ** (set.c0Bits + 1) + hoeffding(set) * (q / 2 ** set.c1Bits + 1) + masks,
  };
}

/**
 * What a sum of N independent terms of mean 0, each within an interval of length 1, stays below but for a probability
 * of 2^-128: Hoeffding (1963), theorem 2.
 */
const hoeffding = ({ ringDegree }: ParameterSet): number =>
  Math.sqrt((ringDegree * (failureBits + 1) * Math.LN2) / 2);

/**
 * Noise of SEAL's encryption of zero under a public key, but for a probability of 2^-127. It is made modulo q times the
 * special prime P, (p0 u + e1, p1 u + e2) with p0 = -(p1 s + e), and then divided by P: (e1 - e u + e2 s) / P, and
 * rounding, 1/2 in c0 and in c1, there times s. u and s are ternary, every noise is at most 21.
 */
const zeroNoise = (set: PrivateParameterSet): number =>
  (21 + 2 * 42 * hoeffding(set)) / set.specialPrime + 0.5 + hoeffding(set);

/**
 * Bits of room between the largest noise of a layer's reply and the noise at which decryption may fail.
 * @param sum the largest sum|w| of an output channel
 * @returns log2(most / noise); not positive if decryption may fail
 */
export function noiseMargin(sum: number, set: ParameterSet): number {
  const { most, rounding } = noiseBudget(set);
  return Math.log2(most / (freshNoise * sum + rounding));
}

/** The sum|w| of an output channel below which {@link noiseMargin} is positive. */
export function largestWeightSum(set: ParameterSet): number {
  const { most, rounding } = noiseBudget(set);
  return (most - rounding) / freshNoise;
}

/** The largest sum of |w| of an output channel. */
export function weightSum({ weights, bias }: ConvolutionWeights): number {
  const taps = weights.length / bias.length;
  let most = 0;
  for (let channel = 0; channel < bias.length; channel++) {
    let sum = 0;
    for (let i = channel * taps; i < (channel + 1) * taps; i++) sum += Math.abs(weights[i] as number);
    most = Math.max(most, sum);
  }
  return most;
}

/**
 * @returns the margin in bits
 * @throws NOISE_BOUND unless every reply of the layer decrypts
 */
export function proveNoise(layer: ConvolutionWeights, set: ParameterSet): number {
  const sum = weightSum(layer);
  const margin = noiseMargin(sum, set);
  if (!(margin > 0)) throw new DenoiseError('NOISE_BOUND', { weightSum: sum, marginBits: margin });
  return margin;
}

/**
 * How well the flood of private mode hides the noise that depends on the weights and on the host's randomness. A reply's
 * coefficient of c0 is a value the client could make up by itself, plus noise of at most B, plus a flood that is uniform
 * on 2^floodBits integers: whatever the noise, the statistical distance to the flood alone is B / 2^floodBits at most.
 * c1 hides behind the encryption of zero, computationally (RLWE), like every ciphertext.
 * @param sum the largest sum|w| of an output channel
 * @returns d: the distance is at most 2^-d for one coefficient
 */
export const statisticalDistance = (sum: number, set: PrivateParameterSet): number =>
  set.floodBits - Math.log2(freshNoise * sum + zeroNoise(set) + 0.5);

/**
 * Distances add up.
 * @param parts `coefficients` at a distance of 2^-bits each
 * @returns d: all together are at most 2^-d away
 */
export function sumOfDistances(
  parts: readonly { readonly bits: number; readonly coefficients: number }[],
): number {
  // In units of the largest, so that nothing underflows.
  const least = Math.min(...parts.map(({ bits }) => bits));
  const sum = parts.reduce((total, { bits, coefficients }) => total + coefficients * 2 ** (least - bits), 0);
  return least - Math.log2(sum);
}
