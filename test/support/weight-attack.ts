import type { FeatureMap } from '@cipherdose/sdk/image';
import type { LinearNode } from '@cipherdose/sdk/protocol';
import type { LinearWeights } from '#server/network/integer-network.js';

// What a client can do with what it sees of a linear layer: every output is one equation whose unknowns are the weights
// of its channel and the bias. Ordinary least squares solves them.

/** Input and output of a layer, as somebody believes them to be. */
export interface SeenLayer {
  readonly input: FeatureMap;
  readonly output: FeatureMap;
}

/** What least squares finds. */
export interface RecoveredLayer {
  /** [outChannels][inChannels][rows][columns] */
  readonly weights: Float64Array;
  /** [outChannels] */
  readonly bias: Float64Array;
  /** Share of the outputs' variance that the solution explains, of each channel: 1 is all of it. */
  readonly explained: readonly number[];
  readonly equations: number;
  readonly unknowns: number;
}

/** Solves for the weights and biases of a layer. There have to be more equations than unknowns. */
export function recoverWeights(node: LinearNode, seen: readonly SeenLayer[]): RecoveredLayer {
  const taps = node.inChannels * node.kernel[0] * node.kernel[1];
  const unknowns = taps + 1;
  const rows = seen.flatMap(({ input, output }) => windows(node, input, output));
  const gram = new Float64Array(unknowns * unknowns);
  for (const row of rows)
    for (let i = 0; i < unknowns; i++)
      for (let j = 0; j <= i; j++) gram[i * unknowns + j]! += row[i]! * row[j]!;
  factorise(gram, unknowns);
  const weights = new Float64Array(node.outChannels * taps);
  const bias = new Float64Array(node.outChannels);
  const explained: number[] = [];
  for (let channel = 0; channel < node.outChannels; channel++) {
    const targets = seen.flatMap(({ output }) => {
      const plane = output.height * output.width;
      return [...output.data.subarray(channel * plane, (channel + 1) * plane)];
    });
    const solution = new Float64Array(unknowns);
    // The second pass takes away the rounding errors of the first.
    for (let pass = 0; pass < 2; pass++) {
      const moment = new Float64Array(unknowns);
      rows.forEach((row, n) => {
        const left = targets[n]! - product(row, solution);
        row.forEach((value, i) => (moment[i]! += value * left));
      });
      const step = solve(gram, moment);
      solution.forEach((_, i) => (solution[i]! += step[i]!));
    }
    weights.set(solution.subarray(0, taps), channel * taps);
    bias[channel] = solution[taps]!;
    const mean = targets.reduce((sum, value) => sum + value, 0) / targets.length;
    const total = targets.reduce((sum, value) => sum + (value - mean) ** 2, 0);
    const left = rows.reduce((sum, row, n) => sum + (targets[n]! - product(row, solution)) ** 2, 0);
    explained.push(1 - left / total);
  }
  return { weights, bias, explained, equations: rows.length, unknowns };
}

/** Pearson's correlation. */
export function correlation(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const [x, y] = [centred(a), centred(b)];
  return product(x, y) / Math.sqrt(product(x, x) * product(y, y));
}

/** Weights and biases that are right when they are rounded, of all. */
export function countExact({ weights, bias }: RecoveredLayer, truth: LinearWeights): number {
  const right = (found: Float64Array, expected: ArrayLike<number>): number =>
    found.filter((value, i) => Math.round(value) === expected[i]).length;
  return right(weights, truth.weights) + right(bias, truth.bias);
}

/**
 * What least squares explains of outputs that have nothing to do with the inputs: by Cochran's theorem a beta
 * distribution, of which this is the mean and the standard deviation.
 */
export function explainedByChance({ equations, unknowns }: RecoveredLayer): {
  mean: number;
  deviation: number;
} {
  const [a, b] = [(unknowns - 1) / 2, (equations - unknowns) / 2];
  return { mean: a / (a + b), deviation: Math.sqrt((a * b) / ((a + b) ** 2 * (a + b + 1))) };
}

/** Values modulo 2^bits as integers around 0, as a map. */
export function centredMap(
  values: ArrayLike<number>,
  bits: number,
  [channels, height, width]: readonly [number, number, number],
): FeatureMap {
  const data = Int32Array.from(values, (value) => (value << (32 - bits)) >> (32 - bits));
  return { channels, height, width, data };
}

/** The difference of two maps of one size. */
export const differenceOf = (a: FeatureMap, b: FeatureMap): FeatureMap => ({
  ...a,
  data: a.data.map((value, i) => value - b.data[i]!),
});

/** One row of unknowns' factors for each place of the output; the last one is the bias's. */
function windows(node: LinearNode, input: FeatureMap, output: FeatureMap): Float64Array[] {
  const { inChannels, kernel, stride, padding } = node;
  const [rows, columns] = kernel;
  const at = (channel: number, y: number, x: number): number =>
    y < 0 || x < 0 || y >= input.height || x >= input.width
      ? 0
      : input.data[(channel * input.height + y) * input.width + x]!;
  return Array.from({ length: output.height * output.width }, (_, place) => {
    const top = Math.floor(place / output.width) * stride[0] - padding[0];
    const left = (place % output.width) * stride[1] - padding[1];
    const row = new Float64Array(inChannels * rows * columns + 1);
    for (let i = 0; i < row.length - 1; i++) {
      const [channel, tap] = [Math.floor(i / (rows * columns)), i % (rows * columns)];
      row[i] = at(channel, top + Math.floor(tap / columns), left + (tap % columns));
    }
    row[row.length - 1] = 1;
    return row;
  });
}

/** Cholesky, in place, in the lower triangle. */
function factorise(matrix: Float64Array, size: number): void {
  for (let i = 0; i < size; i++)
    for (let j = 0; j <= i; j++) {
      let sum = matrix[i * size + j]!;
      for (let k = 0; k < j; k++) sum -= matrix[i * size + k]! * matrix[j * size + k]!;
      matrix[i * size + j] = i === j ? Math.sqrt(sum) : sum / matrix[j * size + j]!;
    }
}

function solve(factor: Float64Array, right: Float64Array): Float64Array {
  const size = right.length;
  const solution = right.slice();
  for (let i = 0; i < size; i++) {
    for (let k = 0; k < i; k++) solution[i]! -= factor[i * size + k]! * solution[k]!;
    solution[i]! /= factor[i * size + i]!;
  }
  for (let i = size - 1; i >= 0; i--) {
    for (let k = i + 1; k < size; k++) solution[i]! -= factor[k * size + i]! * solution[k]!;
    solution[i]! /= factor[i * size + i]!;
  }
  return solution;
}

function centred(values: ArrayLike<number>): Float64Array {
  const copy = Float64Array.from(values);
  const mean = copy.reduce((sum, value) => sum + value, 0) / copy.length;
  return copy.map((value) => value - mean);
}

function product(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
