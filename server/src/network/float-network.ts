import {
  blockPixels,
  type Coefficient,
  type Convolution,
  type Fill,
  type PoolRule,
  type ShuffleFactor,
  type Windows,
} from '@cipherdose/sdk/image';

interface FloatNodeBase {
  readonly name: string;
  readonly input: string;
}

/** See `unshuffle` and `shuffle` of the plan. */
export interface FloatShuffle extends FloatNodeBase {
  readonly op: 'unshuffle' | 'shuffle';
  readonly factor: ShuffleFactor;
}

interface FloatWeights extends FloatNodeBase, Convolution {
  /** [out channel][in channel][kernel row][kernel column] */
  readonly weights: Float64Array;
  /** [out channel] */
  readonly bias: Float64Array;
}

/** A convolution of the host, on ciphertexts. */
export interface FloatLinear extends FloatWeights {
  readonly op: 'linear';
}

/** A convolution of the client, whose weights are public. */
export interface FloatConvolution extends FloatWeights {
  readonly op: 'convolution';
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

/** y = square * x^2 + slope * x + constant; a list has a coefficient for each channel. */
export interface FloatPolynomial extends FloatNodeBase {
  readonly op: 'polynomial';
  readonly square: Coefficient;
  readonly slope: Coefficient;
  readonly constant: Coefficient;
}

/** y = apply(x), finite for every finite x: sigmoid, hard swish and their like. */
export interface FloatFunction extends FloatNodeBase {
  readonly op: 'function';
  readonly apply: (x: number) => number;
}

/** y = a * multipliers[0] + b * multipliers[1] */
export interface FloatAdd {
  readonly op: 'add';
  readonly name: string;
  readonly inputs: readonly [string, string];
  readonly multipliers: readonly [number, number];
}

/** y = a * b, of two values of one shape. */
export interface FloatProduct {
  readonly op: 'product';
  readonly name: string;
  readonly inputs: readonly [string, string];
}

/** The channels of all inputs, one after another. */
export interface FloatConcat {
  readonly op: 'concat';
  readonly name: string;
  readonly inputs: readonly string[];
}

/** Channel i is channel channels[i] of the input. */
export interface FloatSelect extends FloatNodeBase {
  readonly op: 'select';
  readonly channels: readonly number[];
}

/** The largest value, the sum or the mean of every window; padding does not count for a mean. */
export interface FloatPool extends FloatNodeBase, Windows {
  readonly op: 'pool';
  readonly kind: PoolRule['kind'];
}

/** The largest value or the mean of every channel, as one pixel. */
export interface FloatGlobalPool extends FloatNodeBase {
  readonly op: 'globalPool';
  readonly kind: 'max' | 'mean';
}

/** The one pixel of the first input, as often as the second one has pixels. */
export interface FloatBroadcast {
  readonly op: 'broadcast';
  readonly name: string;
  readonly inputs: readonly [string, string];
}

/** See `pad` of the plan. */
export interface FloatPad extends FloatNodeBase {
  readonly op: 'pad';
  readonly fill: Fill;
  readonly padding: readonly [number, number, number, number];
}

/** Non-local means; see `nonLocalMeans` of the plan. */
export interface FloatNonLocalMeans {
  readonly op: 'nonLocalMeans';
  readonly name: string;
  /** The map, the standard deviation of its noise at every pixel, and, if not the map, the one whose patches are compared. */
  readonly inputs: readonly [string, string, ...string[]];
  /** Sides of the window and of the patches that are compared, odd, pixels. */
  readonly search: number;
  readonly patch: number;
  /** h: a pixel whose patch differs by the mean square d^2 weighs exp(-max(d^2 - 2 sigma^2, 0) / (h sigma)^2). */
  readonly strength: number;
}

export type FloatNode =
  | FloatShuffle
  | FloatLinear
  | FloatConvolution
  | FloatActivation
  | FloatPolynomial
  | FloatFunction
  | FloatAdd
  | FloatProduct
  | FloatConcat
  | FloatSelect
  | FloatPool
  | FloatGlobalPool
  | FloatBroadcast
  | FloatPad
  | FloatNonLocalMeans;

/**
 * A network before quantisation: the nodes of a plan with real weights, in order of evaluation. The first value is
 * named `image`: one channel of HU.
 */
export interface FloatNetwork {
  readonly nodes: readonly FloatNode[];
  readonly output: string;
  /** Sides of the image have to be multiples of this; 1 or absent: any size will do. */
  readonly multiple?: number | undefined;
}

export const inputsOf = (node: FloatNode): readonly string[] =>
  'inputs' in node ? node.inputs : [node.input];

/** The inputs whose values count: of one that only gives its size they do not. */
export const evaluatedInputs = (node: FloatNode): readonly string[] =>
  node.op === 'broadcast' ? [node.inputs[0]] : inputsOf(node);

/** The input that decides the size of a node's value. */
export const sizedLike = (node: FloatNode): string =>
  inputsOf(node)[node.op === 'broadcast' ? 1 : 0] as string;

/** Channels of every value, by name. */
export function channelsOf(network: FloatNetwork): ReadonlyMap<string, number> {
  const channels = new Map([['image', 1]]);
  for (const node of network.nodes) {
    const inputs = inputsOf(node).map((name) => channels.get(name) ?? 0);
    channels.set(node.name, channelsAfter(node, inputs));
  }
  return channels;
}

function channelsAfter(node: FloatNode, inputs: readonly number[]): number {
  const [input = 0] = inputs;
  switch (node.op) {
    case 'linear':
    case 'convolution':
      return node.outChannels;
    case 'unshuffle':
      return input * blockPixels(node.factor);
    case 'shuffle':
      return input / blockPixels(node.factor);
    case 'concat':
      return inputs.reduce((sum, channels) => sum + channels, 0);
    case 'select':
      return node.channels.length;
    default:
      return input;
  }
}

/** Index of the last node that takes each value, by name; the output is never done with. */
export function lastUses(network: FloatNetwork): ReadonlyMap<string, number> {
  const uses = new Map<string, number>();
  network.nodes.forEach((node, i) => inputsOf(node).forEach((name) => uses.set(name, i)));
  return uses.set(network.output, Infinity);
}
