import { limits } from '@cipherdose/sdk/protocol';
import { groupOfEach, oneGroup, type ChannelGroups } from './channel-groups.ts';
import { emitConvolution, type Layer } from './convolution-layer.ts';
import type { Expression } from './expression.ts';
import { unsupported, type Lowering } from './lowering.ts';
import type { OnnxNode } from './read-graph.ts';

/** Sums over the channels of each group, or shares of them. The client does it: the weights are no secret. */
export function channelSums(
  node: OnnxNode,
  value: Expression,
  members: ChannelGroups['members'],
  share: number,
  lowering: Lowering,
): Expression {
  const groups = groupOfEach(members);
  const weight = (to: number, from: number): number => (groups[from] === to ? share : 0);
  return mixedChannels(node, value, members.length, weight, lowering);
}

/** The mean of all channels. */
export const channelMean = (node: OnnxNode, value: Expression, lowering: Lowering): Expression =>
  channelSums(node, value, oneGroup(value.channels), 1 / value.channels, lowering);

/** Means over groups of channels that follow each other, each for all channels of its group. */
export function groupedMeans(
  node: OnnxNode,
  value: Expression,
  groups: number,
  lowering: Lowering,
): Expression {
  const size = value.channels / groups;
  const weight = (to: number, from: number): number =>
    Math.floor(to / size) === Math.floor(from / size) ? 1 / size : 0;
  return mixedChannels(node, value, value.channels, weight, lowering);
}

/** A convolution of one tap that the client does. */
function mixedChannels(
  node: OnnxNode,
  value: Expression,
  outChannels: number,
  weight: (to: number, from: number) => number,
  lowering: Lowering,
): Expression {
  const input = lowering.withoutConstant(value);
  const { channels } = input;
  if (channels * outChannels > limits.convolutionWeights)
    throw unsupported(node, `up to ${Math.sqrt(limits.convolutionWeights)} channels in groups`);
  const weights = Float64Array.from({ length: channels * outChannels }, (_, i) =>
    weight(Math.floor(i / channels), i % channels),
  );
  const layer: Layer = {
    ...{ op: 'convolution', outChannels, kernel: [1, 1], stride: [1, 1], padding: [0, 0, 0, 0] },
    weights,
    bias: new Float64Array(outChannels),
  };
  return emitConvolution(node, input, layer, lowering);
}
