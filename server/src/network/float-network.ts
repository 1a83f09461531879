import type { Convolution } from './correlate.ts';

interface FloatNodeBase {
  readonly name: string;
  readonly input: string;
}

/** See `unshuffle` and `shuffle` of the plan. */
export interface FloatShuffle extends FloatNodeBase {
  readonly op: 'unshuffle' | 'shuffle';
  readonly factor: number;
}

export interface FloatLinear extends FloatNodeBase, Convolution {
  readonly op: 'linear';
  /** [out channel][in channel][kernel row][kernel column] */
  readonly weights: Float64Array;
  /** [out channel] */
  readonly bias: Float64Array;
}

/**
 * y = clamp(x * m, low, high), m is `negative[c]` where x < 0: ReLU and its relatives, clip, a change of scale.
 * One multiplier for every channel, or a single one for all.
 */
export interface FloatActivation extends FloatNodeBase {
  readonly op: 'activation';
  readonly positive: readonly number[];
  readonly negative: readonly number[];
  readonly low: number;
  readonly high: number;
}

/** y = square * x^2 + slope * x + constant */
export interface FloatPolynomial extends FloatNodeBase {
  readonly op: 'polynomial';
  readonly square: number;
  readonly slope: number;
  readonly constant: number;
}

/** y = a * multipliers[0] + b * multipliers[1] */
export interface FloatAdd {
  readonly op: 'add';
  readonly name: string;
  readonly inputs: readonly [string, string];
  readonly multipliers: readonly [number, number];
}

export type FloatNode = FloatShuffle | FloatLinear | FloatActivation | FloatPolynomial | FloatAdd;

/**
 * A network before quantisation: the nodes of a plan with real weights, in order of evaluation. The first value is
 * named `image`: one channel of HU.
 */
export interface FloatNetwork {
  readonly nodes: readonly FloatNode[];
  readonly output: string;
}

export const inputsOf = (node: FloatNode): readonly string[] =>
  node.op === 'add' ? node.inputs : [node.input];

/** Channels of every value, by name. */
export function channelsOf(network: FloatNetwork): ReadonlyMap<string, number> {
  const channels = new Map([['image', 1]]);
  for (const node of network.nodes) {
    const input = channels.get(inputsOf(node)[0] as string) ?? 0;
    if (node.op === 'linear') channels.set(node.name, node.outChannels);
    else if (node.op === 'unshuffle') channels.set(node.name, input * node.factor ** 2);
    else if (node.op === 'shuffle') channels.set(node.name, input / node.factor ** 2);
    else channels.set(node.name, input);
  }
  return channels;
}
