import { viewed } from './arrange.ts';
import { scale, type Expression } from './expression.ts';
import { channelExtreme } from './lower-arithmetic.ts';
import { channelSum } from './channel-means.ts';
import { globallyPooled } from './lower-pool.ts';
import { unsupported, type Lowering, type Meaning } from './lowering.ts';
import { integerOf, reducedAxes, viewedAt } from './operands.ts';
import type { OnnxNode } from './read-graph.ts';
import { sameView, whole } from './view.ts';

/** ReduceMax, ReduceMean, ReduceMin and ReduceSum, of all channels or, but for sums, of all rows and columns. */
export function lowerReduction(node: OnnxNode, lowering: Lowering): Meaning {
  const { value, view } = viewedAt(node, 0, lowering);
  const axes = reducedAxes(node, view.length, lowering);
  const along = view.filter((_, axis) => axes.has(axis)).flat();
  const kept = view.filter((_, axis) => !axes.has(axis));
  const result =
    integerOf(node, 'keepdims', 1) === 1 ? view.map((dims, axis) => (axes.has(axis) ? [] : dims)) : kept;
  const pixels = [...whole('row', value.height), ...whole('column', value.width)];
  const channels = whole('channel', value.channels);
  if (sameView([along], [channels])) return viewed(ofChannels(node, value, lowering), result, node, lowering);
  const areAll = sameView([along.toSorted(rowsFirst), kept.flat()], [pixels, channels]);
  if (!areAll || node.operator === 'ReduceSum')
    throw unsupported(node, 'the channels alone or, but for ReduceSum, rows and columns together');
  return viewed(globalOf(node.operator, value, lowering), result, node, lowering);
}

const rowsFirst = (a: { readonly axis: string }, b: { readonly axis: string }): number =>
  Number(a.axis === 'column') - Number(b.axis === 'column');

const ofChannels = (node: OnnxNode, value: Expression, lowering: Lowering): Expression =>
  node.operator === 'ReduceMax' || node.operator === 'ReduceMin'
    ? channelExtreme(value, node.operator === 'ReduceMax', lowering)
    : channelSum(node, value, lowering);

function globalOf(operator: string, value: Expression, lowering: Lowering): Expression {
  if (operator === 'ReduceMean') return globallyPooled(value, 'mean', lowering);
  const sign = operator === 'ReduceMax' ? 1 : -1;
  return scale(globallyPooled(scale(value, [sign]), 'max', lowering), [sign]);
}
