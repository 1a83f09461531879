import { likewise, selected, type Viewed } from './arrange.ts';
import { channelGroups, groupOfEach } from './channel-groups.ts';
import { channelSums } from './channel-means.ts';
import { composed, scale, type Expression } from './expression.ts';
import { channelExtremes, productOf, sumOf } from './lower-arithmetic.ts';
import { malformed, unsupported, type Lowering } from './lowering.ts';
import { integerOf, viewedAt } from './operands.ts';
import type { OnnxNode } from './read-graph.ts';

/** From here on Softmax is along one axis; before, over all from that axis on. */
const opsetOfOneAxis = 13;

/** Softmax over channels of every pixel, all or groups of them: exp(x - m) / (sum of exp(x - m)), m the largest. */
export function lowerSoftmax(node: OnnxNode, lowering: Lowering): Viewed {
  const shown = viewedAt(node, 0, lowering);
  const { value, view } = shown;
  const oneAxis = lowering.opset >= opsetOfOneAxis;
  const given = integerOf(node, 'axis', oneAxis ? -1 : 1);
  const axis = given < 0 ? given + view.length : given;
  if (!(axis >= 0 && axis < view.length)) throw malformed(node, `axis ${given}`);
  const axes = view.map((_, i) => i).slice(axis, oneAxis ? axis + 1 : undefined);
  const groups = channelGroups(view, new Set(axes));
  if (!groups) throw unsupported(node, 'channels as its axis');
  const { members } = groups;
  const groupOf = groupOfEach(members);
  const forEach = (one: Expression): Expression => selected(one, groupOf, lowering);
  const map = lowering.plain(value);
  const most = forEach(channelExtremes(map, members, true, lowering));
  const below = lowering.curve(sumOf(map, scale(most, [-1]), lowering));
  // No value is above the largest, but the bounds that are known of both leave room for it.
  const exponential = lowering.plain(composed(below.value, below.curve, (y) => Math.exp(Math.min(y, 0))));
  const sum = lowering.curve(channelSums(node, exponential, members, 1, lowering));
  // The largest gives 1, so the sum is no less; in integers it could seem so by a rounding.
  const inverse = composed(sum.value, sum.curve, (y) => 1 / Math.max(y, 1));
  return likewise(shown, productOf(exponential, forEach(inverse), lowering));
}
