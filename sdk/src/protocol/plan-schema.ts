import { z } from 'zod';
import { limits } from './limits.ts';
import { parameterSetNames } from './parameter-sets.ts';

const integer = z.int();
const multiplier = z
  .int()
  .min(-(2 ** 40))
  .max(2 ** 40);
const shift = z.int().min(0).max(52);
const range = {
  low: z
    .int()
    .min(-(2 ** 31))
    .max(2 ** 31 - 1),
  high: z
    .int()
    .min(-(2 ** 31))
    .max(2 ** 31 - 1),
};
const nodeName = z.string().regex(/^[a-z][a-zA-Z0-9_-]{0,63}$/);
const channels = z.int().min(1).max(limits.channels);
const taps = z.int().min(1).max(limits.kernelSide);
const stride = z.int().min(1).max(limits.stride);
const pad = z.int().min(0).max(limits.kernelSide);
const blockSide = z.int().min(1).max(limits.shuffleFactor);
/** Sides of the blocks of a shuffle; where rows and columns have the same, it is written once. */
const factor = z.union([
  blockSide.min(2),
  z
    .tuple([blockSide, blockSide])
    .refine(([rows, columns]) => rows !== columns, 'a factor that is the same for both is one number'),
]);
const perChannel = z.array(multiplier).min(1).max(limits.channels);

/** Checks the id of a model: lower case letters, digits, `.`, `_` and `-`, at most 64. */
export const modelId = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,63}$/);
/** Checks a version: MAJOR.MINOR.PATCH. */
export const semanticVersion = z.string().regex(/^\d{1,6}\.\d{1,6}\.\d{1,6}$/);
/** Checks a SHA-256 digest: 64 lower case hexadecimal digits. */
export const sha256Hex = z.string().regex(/^[0-9a-f]{64}$/);

/**
 * channels x h x w -> channels f^2 x ceil(h/f) x ceil(w/f); missing pixels are 0. Channel order of PyTorch. The factor may
 * be [rows, columns].
 */
const unshuffle = z.strictObject({ op: z.literal('unshuffle'), name: nodeName, input: nodeName, factor });
/** The inverse of `unshuffle`, cut to the size of the map that the image has at that scale. */
const shuffle = z.strictObject({ op: z.literal('shuffle'), name: nodeName, input: nodeName, factor });
/** A convolution (cross-correlation, zero padding): the only thing that is evaluated on ciphertexts. */
const convolutionShape = {
  inChannels: channels,
  outChannels: channels,
  /** [rows, columns] */
  kernel: z.tuple([taps, taps]),
  stride: z.tuple([stride, stride]),
  /** [top, left, bottom, right] */
  padding: z.tuple([pad, pad, pad, pad]),
};
const linear = z.strictObject({
  op: z.literal('linear'),
  name: nodeName,
  input: nodeName,
  ...convolutionShape,
  /** Number in the address of the host; layers are numbered from 0 in order. */
  layer: z.int().min(0).max(limits.planNodes),
  /** Proved at import: every accumulator y of this layer has |y| <= accumulatorBound < t/2. */
  accumulatorBound: z
    .int()
    .min(0)
    .max(2 ** 31),
});
/**
 * A convolution (cross-correlation, zero padding) whose weights are no secret: whoever owns the image does it.
 * x' = roundHalfUp((sum of weight * x + bias) / 2^shift)
 */
const convolution = z.strictObject({
  op: z.literal('convolution'),
  name: nodeName,
  input: nodeName,
  ...convolutionShape,
  /** [out channel][in channel][kernel row][kernel column] */
  weights: z.array(z.int().min(-32768).max(32767)).min(1).max(limits.convolutionWeights),
  /** [out channel] */
  bias: z
    .array(
      z
        .int()
        .min(-(2 ** 30))
        .max(2 ** 30),
    )
    .min(1)
    .max(limits.channels),
  shift,
});
/** x' = clamp(roundHalfUp(x * m / 2^shift), low, high); m is `negative[c]` where x < 0. ReLU has negative 0. */
const requantise = z.strictObject({
  op: z.literal('requantise'),
  name: nodeName,
  input: nodeName,
  /** One for every channel, or a single one for all. */
  positive: perChannel,
  negative: perChannel,
  shift,
  ...range,
});
const coefficient = z.union([integer, z.array(integer).min(1).max(limits.channels)]);
/** x' = clamp(roundHalfUp((square * x^2 + slope * x + constant) / 2^shift), low, high); a list has one for each channel. */
const polynomial = z.strictObject({
  op: z.literal('polynomial'),
  name: nodeName,
  input: nodeName,
  square: coefficient,
  slope: coefficient,
  constant: coefficient,
  shift,
  ...range,
});
/**
 * x' = clamp(roundHalfUp((square * u^2 + slope * u + constant) / 2^shift), low, high), u = x - start, with the piece of
 * the largest start that is not above x: any function of one variable.
 */
const piecewise = z.strictObject({
  op: z.literal('piecewise'),
  name: nodeName,
  input: nodeName,
  /** Starts ascend; the first is not above any x. */
  pieces: z
    .array(z.strictObject({ start: integer, square: integer, slope: integer, constant: integer }))
    .min(1)
    .max(limits.pieces),
  shift,
  ...range,
});
/** x' = clamp(roundHalfUp((a * multipliers[0] + b * multipliers[1]) / 2^shift), low, high) */
const add = z.strictObject({
  op: z.literal('add'),
  name: nodeName,
  inputs: z.tuple([nodeName, nodeName]),
  multipliers: z.tuple([multiplier, multiplier]),
  shift,
  ...range,
});

/** Checks a {@link PlanNode}. */
/** The channels of all inputs, one after another. */
const concat = z.strictObject({
  op: z.literal('concat'),
  name: nodeName,
  inputs: z.array(nodeName).min(2).max(limits.concatInputs),
});
/** Channel i of the result is channel channels[i] of the input. */
const select = z.strictObject({
  op: z.literal('select'),
  name: nodeName,
  input: nodeName,
  channels: z
    .array(
      z
        .int()
        .min(0)
        .max(limits.channels - 1),
    )
    .min(1)
    .max(limits.channels),
});
/**
 * The largest value, the sum or x' = floor(gain * mean + 1/2) of every window of a channel. Padding is never the largest,
 * adds nothing, and does not count for a mean.
 */
const pool = z.strictObject({
  op: z.literal('pool'),
  name: nodeName,
  input: nodeName,
  kind: z.enum(['max', 'sum', 'mean']),
  /** Of a mean, and of nothing else. */
  gain: z.int().min(1).max(65_536).optional(),
  kernel: z.tuple([taps, taps]),
  stride: z.tuple([stride, stride]),
  padding: z.tuple([pad, pad, pad, pad]),
});
/** All pixels of a channel become one: the largest, or x' = floor(gain * mean + 1/2). */
const globalPoolNode = z.strictObject({
  op: z.literal('globalPool'),
  name: nodeName,
  input: nodeName,
  kind: z.enum(['max', 'mean']),
  /** 1 for `max`. */
  gain: z.int().min(1).max(65_536),
});
/** The one pixel of every channel of the first input, as often as the second input, a map of any channels, has pixels. */
const broadcast = z.strictObject({
  op: z.literal('broadcast'),
  name: nodeName,
  inputs: z.tuple([nodeName, nodeName]),
});
const margin = z.int().min(-limits.kernelSide).max(limits.kernelSide);
/** Adds rows and columns: zeros, copies of the edge, or mirrored without the edge. Below 0: takes them away. */
const padNode = z.strictObject({
  op: z.literal('pad'),
  name: nodeName,
  input: nodeName,
  fill: z.enum(['zero', 'edge', 'reflect']),
  /** [top, left, bottom, right] */
  padding: z.tuple([margin, margin, margin, margin]),
});

const oddSide = (most: number): z.ZodType<number> =>
  z
    .int()
    .min(1)
    .max(most)
    .refine((side) => side % 2 === 1, 'a side is odd');
/**
 * Every pixel as a mean of those around it whose patches are like its own: x' = floor(gain * mean + 1/2), for each channel
 * alone. See `nonLocalMeans` of the SDK.
 */
const nonLocalMeans = z.strictObject({
  op: z.literal('nonLocalMeans'),
  name: nodeName,
  /**
   * The map, the deviation of its noise at every pixel (below 1 it counts as 1), and, if it is not the map itself, the one
   * whose patches are compared: all of one shape.
   */
  inputs: z
    .tuple([nodeName, nodeName], nodeName)
    .refine(({ length }) => length <= 3, 'there are three inputs at most'),
  /** Sides of the window and of the patches, pixels. */
  search: oddSide(limits.searchSide),
  patch: oddSide(limits.patchSide),
  /** Of a pixel whose patch differs by D: weights[floor(D * floor(multiplier / deviation^2) / 2^shift)], or none. */
  weights: z.array(z.int().min(0).max(65_535)).min(1).max(limits.patchWeights),
  multiplier: z
    .int()
    .min(1)
    .max(2 ** 50),
  shift,
  gain: z.int().min(1).max(65_536),
});

/** One node of a plan. */
export const planNodeSchema = z.discriminatedUnion('op', [
  unshuffle,
  shuffle,
  linear,
  convolution,
  requantise,
  polynomial,
  piecewise,
  add,
  concat,
  select,
  pool,
  globalPoolNode,
  broadcast,
  padNode,
  nonLocalMeans,
]);

/**
 * The public shape of a model: a dataflow graph in order of evaluation, without weights.
 * The first value is named `image`: one channel of HU, clipped to the input range.
 */
export const planSchema = z.strictObject({
  format: z.literal('cipherdose-plan/1'),
  id: modelId,
  version: semanticVersion,
  framework: z.enum(['linear', 'interactive']),
  parameterSet: z.enum(parameterSetNames as [string, ...string[]]),
  /** Range of HU that the model takes; pixels outside are clipped and the clipped part is added back at the end. */
  input: z.strictObject({
    lowHu: z.int().min(-32768).max(32767),
    highHu: z.int().min(-32768).max(32767),
    /**
     * If given, rows and columns of lowHu are added at the bottom and at the right until both sides are multiples of
     * this, and cut off the result; every unshuffle, stride and pool then has to divide without a rest.
     */
    multiple: z.int().min(1).max(limits.imageSide).optional(),
  }),
  nodes: z.array(planNodeSchema).min(1).max(limits.planNodes),
  output: nodeName,
  /** SHA-256 of the integer weights and biases, which stay on the host. */
  weightsDigest: sha256Hex,
});

/** The public shape of a model; see {@link planSchema}. */
export type Plan = z.infer<typeof planSchema>;
/** One node of the graph: what is computed from which named values. */
export type PlanNode = z.infer<typeof planNodeSchema>;
/** A convolution with zero padding: the only node that the host evaluates, on ciphertexts. */
export type LinearNode = z.infer<typeof linear>;
/** x' = clamp(roundHalfUp(x * m / 2^shift), low, high), with its own m below zero. */
export type RequantiseNode = z.infer<typeof requantise>;
/** x' = clamp(roundHalfUp((square * x^2 + slope * x + constant) / 2^shift), low, high) */
export type PolynomialNode = z.infer<typeof polynomial>;
/** x' = clamp(roundHalfUp((a * multipliers[0] + b * multipliers[1]) / 2^shift), low, high) */
export type AddNode = z.infer<typeof add>;
/** A function of one value, in quadratic pieces. */
export type PiecewiseNode = z.infer<typeof piecewise>;
/** The largest value, the sum or the mean of every window. */
export type PoolNode = z.infer<typeof pool>;
/** The largest value or the mean of a whole channel. */
export type GlobalPoolNode = Extract<PlanNode, { readonly op: 'globalPool' }>;
/** A mean over pixels whose surroundings are alike. */
export type NonLocalMeansNode = z.infer<typeof nonLocalMeans>;
/** A convolution that the owner of the image does. */
export type ConvolutionNode = z.infer<typeof convolution>;
/** Rows and columns added or taken away. */
export type PadNode = z.infer<typeof padNode>;

/** Names of the values that a node takes. */
export const inputsOf = (node: PlanNode): readonly string[] =>
  'inputs' in node ? node.inputs : [node.input];
