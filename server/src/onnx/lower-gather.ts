import { limits } from '@cipherdose/sdk/protocol';
import { selected, viewed } from './arrange.ts';
import { malformed, unsupported, type Lowering, type Meaning } from './lowering.ts';
import { constantAt, integerOf, viewedAt } from './operands.ts';
import type { OnnxNode } from './read-graph.ts';
import { sameView, whole } from './view.ts';

/** Gather of channels by constant numbers; by a single one, the axis goes. */
export function lowerGather(node: OnnxNode, lowering: Lowering): Meaning {
  const { value, view } = viewedAt(node, 0, lowering);
  const given = integerOf(node, 'axis', 0);
  const axis = given < 0 ? given + view.length : given;
  const indices = constantAt(node, 1, lowering);
  const areChannels = sameView([view[axis] ?? []], [whole('channel', value.channels)]);
  if (!indices || indices.dims.length > 1 || !areChannels)
    throw unsupported(node, 'a constant list of channels, or one channel');
  const channels = Array.from(indices.data, (index) => (index < 0 ? index + value.channels : index));
  const isThere = (channel: number): boolean =>
    Number.isInteger(channel) && channel >= 0 && channel < value.channels;
  if (channels.length === 0 || channels.length > limits.channels || !channels.every(isThere))
    throw malformed(node, `channels ${channels.join(',')} of ${value.channels}`);
  const result = selected(value, channels, lowering);
  const gathered = [whole('channel', channels.length)].slice(0, indices.dims.length);
  return viewed(result, view.toSpliced(axis, 1, ...gathered), node, lowering);
}
