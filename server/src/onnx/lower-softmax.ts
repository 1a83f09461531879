import { likewise, type Viewed } from './arrange.ts';
import { composed, scale } from './expression.ts';
import { channelExtreme, productOf, spread, sumOf } from './lower-arithmetic.ts';
import { channelSum } from './channel-means.ts';
import { unsupported, type Lowering } from './lowering.ts';
import { integerOf, viewedAt } from './operands.ts';
import type { OnnxNode } from './read-graph.ts';
import { sameView, whole } from './view.ts';

/** From here on Softmax is along one axis; before, over all from that axis on. */
const opsetOfOneAxis = 13;

/** Softmax over the channels of every pixel: exp(x - m) / (sum of exp(x - m)), m the largest of them. */
export function lowerSoftmax(node: OnnxNode, lowering: Lowering): Viewed {
  const shown = viewedAt(node, 0, lowering);
  const { value, view } = shown;
  const oneAxis = lowering.opset >= opsetOfOneAxis;
  const given = integerOf(node, 'axis', oneAxis ? -1 : 1);
  const axis = given < 0 ? given + view.length : given;
  const along = view.slice(axis, oneAxis ? axis + 1 : undefined).flat();
  if (!sameView([along], [whole('channel', value.channels)]))
    throw unsupported(node, 'the channels as its axis');
  const map = lowering.plain(value);
  const [x, most] = spread(map, channelExtreme(map, true, lowering), lowering);
  const below = lowering.curve(sumOf(x, scale(most, [-1]), lowering));
  const exponential = lowering.plain(composed(below.value, below.curve, Math.exp));
  const mean = channelSum(node, exponential, lowering);
  const sum = lowering.curve(scale(mean, [value.channels]));
  // The largest gives 1, so the sum is no less; in integers it could seem so by a rounding.
  const inverse = composed(sum.value, sum.curve, (y) => 1 / Math.max(y, 1));
  const [factor, other] = spread(inverse, exponential, lowering);
  return likewise(shown, productOf(other, factor, lowering));
}
