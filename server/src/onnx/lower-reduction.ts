import { viewed } from './arrange.ts';
import { channelGroups, type ChannelGroups } from './channel-groups.ts';
import { channelSums } from './channel-means.ts';
import { scale, type Expression } from './expression.ts';
import { channelExtremes } from './lower-arithmetic.ts';
import { globallyPooled } from './lower-pool.ts';
import { unsupported, type Lowering, type Meaning } from './lowering.ts';
import { integerOf, reducedAxes, viewedAt } from './operands.ts';
import type { OnnxNode } from './read-graph.ts';
import { sameView, whole, type View } from './view.ts';

/** ReduceMax, ReduceMean, ReduceMin and ReduceSum, of channels, all or groups, or, but for sums, of all rows and columns. */
export function lowerReduction(node: OnnxNode, lowering: Lowering): Meaning {
  const { value, view } = viewedAt(node, 0, lowering);
  const axes = reducedAxes(node, view.length, lowering);
  const along = view.filter((_, axis) => axes.has(axis)).flat();
  const kept = view.filter((_, axis) => !axes.has(axis));
  const keeps = integerOf(node, 'keepdims', 1) === 1;
  const reduced = (rest: View): View => (keeps ? rest : rest.filter((_, axis) => !axes.has(axis)));
  const groups = channelGroups(view, axes);
  if (groups) {
    // Axes of one element change nothing.
    const result = along.length === 0 ? value : ofChannels(node, value, groups.members, lowering);
    return viewed(result, reduced(groups.rest), node, lowering);
  }
  const pixels = [...whole('row', value.height), ...whole('column', value.width)];
  const channels = whole('channel', value.channels);
  const areAll = sameView([along.toSorted(rowsFirst), kept.flat()], [pixels, channels]);
  if (!areAll || node.operator === 'ReduceSum')
    throw unsupported(node, 'channels alone or, but for ReduceSum, rows and columns together');
  const result = reduced(view.map((dims, axis) => (axes.has(axis) ? [] : dims)));
  return viewed(globalOf(node.operator, value, lowering), result, node, lowering);
}

const rowsFirst = (a: { readonly axis: string }, b: { readonly axis: string }): number =>
  Number(a.axis === 'column') - Number(b.axis === 'column');

function ofChannels(
  node: OnnxNode,
  value: Expression,
  members: ChannelGroups['members'],
  lowering: Lowering,
): Expression {
  const { operator } = node;
  if (operator === 'ReduceMax' || operator === 'ReduceMin')
    return channelExtremes(value, members, operator === 'ReduceMax', lowering);
  const count = members[0]?.length ?? 1;
  return channelSums(node, value, members, operator === 'ReduceSum' ? 1 : 1 / count, lowering);
}

function globalOf(operator: string, value: Expression, lowering: Lowering): Expression {
  if (operator === 'ReduceMean') return globallyPooled(value, 'mean', lowering);
  const sign = operator === 'ReduceMax' ? 1 : -1;
  return scale(globallyPooled(scale(value, [sign]), 'max', lowering), [sign]);
}
