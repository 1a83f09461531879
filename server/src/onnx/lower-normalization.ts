import { likewise, type Viewed } from './arrange.ts';
import { composed, multiplyExpressions, scale, shift, type Expression } from './expression.ts';
import { forConstants, productOf, spread, sumOf } from './lower-arithmetic.ts';
import { channelMean, groupedMeans } from './channel-means.ts';
import { globallyPooled } from './lower-pool.ts';
import { malformed, unsupported, type Lowering } from './lowering.ts';
import { constantAt, finite, floatOf, integerOf, valueAt, viewedAt } from './operands.ts';
import type { OnnxNode } from './read-graph.ts';
import { dimsOf, imageView, reshaped, sameView, whole } from './view.ts';

/** BatchNormalization with fixed statistics: gamma * (x - mean) / sqrt(variance + epsilon) + beta. */
export function lowerBatchNormalization(node: OnnxNode, lowering: Lowering): Expression {
  const image = valueAt(node, 0, lowering);
  const [gamma, beta, mean, variance] = [1, 2, 3, 4].map((index) =>
    constantOf(node, index, image.channels, lowering),
  ) as [number[], number[], number[], number[]];
  const epsilon = floatOf(node, 'epsilon', 1e-5);
  const factor = gamma.map((gain, channel) => gain / Math.sqrt((variance[channel] as number) + epsilon));
  if (!factor.every(Number.isFinite)) throw malformed(node, 'a variance is not positive');
  const offset = beta.map((base, channel) => base - (mean[channel] as number) * (factor[channel] as number));
  const value = forConstants(image, factor, lowering);
  return shift(scale(value, factor), offset);
}

/** InstanceNormalization: every channel, or every group of channels that the graph shows as one, has mean 0 and variance 1. */
export function lowerInstanceNormalization(node: OnnxNode, lowering: Lowering): Viewed {
  const shown = viewedAt(node, 0, lowering);
  const { value, view } = shown;
  const [batch = 0, groups = 0] = dimsOf(view);
  const image = reshaped(view, [1, value.channels, value.height, value.width]);
  const inOrder = image && sameView(image, imageView(value));
  if (batch !== 1 || !inOrder || value.channels % groups !== 0)
    throw unsupported(node, 'channels, or groups of channels that follow each other, as the second axis');
  return likewise(shown, normalised(node, value, groupMeans(node, groups), groups, lowering));
}

/** GroupNormalization, with scale and bias of each group (opset 18) or channel (21 on). */
export function lowerGroupNormalization(node: OnnxNode, lowering: Lowering): Expression {
  const value = valueAt(node, 0, lowering);
  const groups = integerOf(node, 'num_groups', 0);
  if (!(groups >= 1) || value.channels % groups !== 0) throw malformed(node, `${groups} groups do not fit`);
  const given = constantAt(node, 1, lowering)?.data.length === groups ? groups : value.channels;
  return normalised(node, value, groupMeans(node, groups), given, lowering);
}

/** LayerNormalization over the channels of each pixel. */
export function lowerLayerNormalization(node: OnnxNode, lowering: Lowering): Viewed {
  const shown = viewedAt(node, 0, lowering);
  const { value, view } = shown;
  const axis = integerOf(node, 'axis', -1);
  const last = view.length - 1;
  const isLast = axis === -1 || axis === last;
  if (!isLast || !sameView(view.slice(last), [whole('channel', value.channels)]))
    throw unsupported(node, 'the channels as the last axis');
  const means = (of: Expression): Expression => channelMean(node, of, lowering);
  return likewise(shown, normalised(node, value, means, value.channels, lowering));
}

type Means = (value: Expression, lowering: Lowering) => Expression;

/** Means of all pixels of the channels of each group. */
const groupMeans =
  (node: OnnxNode, groups: number): Means =>
  (value, lowering) => {
    const pixel = globallyPooled(value, 'mean', lowering);
    return groups === value.channels ? pixel : groupedMeans(node, pixel, groups, lowering);
  };

/** gamma * (x - mean) / sqrt(variance + epsilon) + beta, with so many gamma and beta; without a beta, 0. */
function normalised(
  node: OnnxNode,
  value: Expression,
  means: Means,
  count: number,
  lowering: Lowering,
): Expression {
  const epsilon = floatOf(node, 'epsilon', 1e-5);
  const map = lowering.plain(value);
  const [x, mean] = spread(map, means(map, lowering), lowering);
  const centred = lowering.plain(sumOf(x, scale(mean, [-1]), lowering));
  const square = multiplyExpressions(centred, centred) as Expression;
  const variance = lowering.curve(means(square, lowering));
  const inverse = composed(variance.value, variance.curve, (y) => 1 / Math.sqrt(y + epsilon));
  const [factor, other] = spread(inverse, centred, lowering);
  const gamma = eachOf(constantOf(node, 1, count, lowering), value.channels);
  const beta = node.inputs[2] ? eachOf(constantOf(node, 2, count, lowering), value.channels) : [0];
  return shift(scale(productOf(other, factor, lowering), gamma), beta);
}

/** A constant of so many numbers. */
function constantOf(node: OnnxNode, index: number, count: number, lowering: Lowering): number[] {
  const tensor = constantAt(node, index, lowering);
  if (tensor?.data.length !== count)
    throw malformed(node, 'its statistics, scale or bias do not fit its channels');
  return [...finite(node, tensor.data)];
}

/** Each number for as many channels that follow each other. */
const eachOf = (list: readonly number[], channels: number): number[] =>
  Array.from(
    { length: channels },
    (_, channel) => list[Math.floor((channel * list.length) / channels)] as number,
  );
