import { arrangedOrPixel, broadcast, likewise, meant, selected, type Viewed } from './arrange.ts';
import type { ChannelGroups } from './channel-groups.ts';
import {
  addExpressions,
  composed,
  divideExpressions,
  isLinear,
  multiplyExpressions,
  scale,
  shift,
  type Expression,
} from './expression.ts';
import { activation, unlimited } from './lower-activation.ts';
import { malformed, unsupported, type Lowering } from './lowering.ts';
import { constantAt, perChannel, scalar, viewedAt } from './operands.ts';
import type { OnnxNode } from './read-graph.ts';
import type { Tensor } from './tensor.ts';
import { sameView, whole } from './view.ts';

interface Operands {
  readonly shown: Viewed;
  readonly constant: Tensor;
  readonly constantFirst: boolean;
}

/** The value and the constant of a two-sided operator, or undefined if both are values. */
function mixedOperands(node: OnnxNode, lowering: Lowering): Operands | undefined {
  const kinds = [0, 1].map((index) => lowering.meaning(node.inputs[index] ?? '', node).kind);
  const constantIndex = kinds.indexOf('constant');
  if (constantIndex < 0) return undefined;
  const constant = constantAt(node, constantIndex, lowering) as Tensor;
  return { shown: viewedAt(node, 1 - constantIndex, lowering), constant, constantFirst: constantIndex === 0 };
}

/**
 * Two values of one shape, in the view that they share or as images; a single channel is there for each of the other's, and
 * a single pixel of global pooling for each of the other's.
 */
function valueOperands(
  node: OnnxNode,
  first: Viewed,
  second: Viewed,
  lowering: Lowering,
): { readonly a: Expression; readonly b: Expression; readonly show: (value: Expression) => Viewed } {
  const shared =
    sharedView(first, second) ?? aroundPixel(first, second, lowering) ?? aroundPixel(second, first, lowering);
  const [a, b] = shared
    ? spread(first.value, second.value, lowering)
    : spread(arrangedOrPixel(first, node, lowering), arrangedOrPixel(second, node, lowering), lowering);
  if (a.channels !== b.channels || a.height !== b.height || a.width !== b.width)
    throw unsupported(node, 'two values of one shape');
  return { a, b, show: shared ? (value) => likewise(shared, value) : meant };
}

/** The value of more channels, if both are shown alike but for the axis of channels, where the other one has 1. */
function sharedView(first: Viewed, second: Viewed): Viewed | undefined {
  const [many, few] = first.value.channels >= second.value.channels ? [first, second] : [second, first];
  if (sameView(many.view, few.view)) return many;
  const channels = whole('channel', many.value.channels);
  const single = many.view.map((dimension) => (sameView([dimension], [channels]) ? [] : dimension));
  return few.value.channels === 1 && sameView(single, few.view) ? many : undefined;
}

/** The map, if both are shown alike but for the axes of rows and columns, where the other one, a pixel, has 1. */
function aroundPixel(map: Viewed, pixel: Viewed, lowering: Lowering): Viewed | undefined {
  if (lowering.isPixel(map.value.node) || !lowering.isPixel(pixel.value.node)) return undefined;
  const ofChannels = map.view.map((dimension) => dimension.filter(({ axis }) => axis === 'channel'));
  return sameView(ofChannels, pixel.view) ? map : undefined;
}

/** Both values, one of a single channel or pixel as often as the other one has channels or pixels. */
export function spread(first: Expression, second: Expression, lowering: Lowering): [Expression, Expression] {
  const copies = (value: Expression, { channels }: Expression): Expression =>
    value.channels === 1 ? selected(value, Array<number>(channels).fill(0), lowering) : value;
  const [a, b] = [copies(first, second), copies(second, first)];
  const [isPixel, isOther] = [lowering.isPixel(a.node), lowering.isPixel(b.node)];
  if (isPixel === isOther) return [a, b];
  // The map is folded first, so that both sides mean the same node.
  const like = lowering.foldLinear(isPixel ? b : a);
  return isPixel ? [broadcast(a, like, lowering), like] : [like, broadcast(b, like, lowering)];
}

/** A curve takes constants that are the same for all channels only. */
export const forConstants = (
  value: Expression,
  constants: readonly number[],
  lowering: Lowering,
): Expression => (value.curve && constants.length > 1 ? lowering.plain(value) : value);

/** Add, Sub and Sum. */
export function lowerSum(node: OnnxNode, lowering: Lowering): Viewed {
  const sign = node.operator === 'Sub' ? -1 : 1;
  if (node.inputs.length === 1) return viewedAt(node, 0, lowering);
  if (node.inputs.length > 2) {
    const values = node.inputs.map((_, i) => viewedAt(node, i, lowering));
    return values.reduce((sum, next) => {
      const { a, b, show } = valueOperands(node, sum, next, lowering);
      return show(sumOf(a, b, lowering));
    });
  }
  const mixed = mixedOperands(node, lowering);
  if (mixed) {
    const offset = perChannel(node, mixed.constant, mixed.shown);
    const value = forConstants(mixed.shown.value, offset, lowering);
    const moved = mixed.constantFirst
      ? shift(scale(value, [sign]), offset)
      : shift(
          value,
          offset.map((constant) => constant * sign),
        );
    return likewise(mixed.shown, moved);
  }
  const { a, b, show } = valueOperands(
    node,
    viewedAt(node, 0, lowering),
    viewedAt(node, 1, lowering),
    lowering,
  );
  return show(sumOf(a, scale(b, [sign]), lowering));
}

/** The sum of two values of one shape. */
export const sumOf = (a: Expression, b: Expression, lowering: Lowering): Expression =>
  addExpressions(a, b) ??
  (a.curve || b.curve ? curves(addExpressions, a, b, lowering) : undefined) ??
  weightedSum(a, b, lowering);

/** Max and Min: of a value and a number, or of two values, by what one has more than the other. */
export function lowerExtreme(node: OnnxNode, lowering: Lowering): Viewed {
  if (node.inputs.length !== 2) throw unsupported(node, 'two values, or a value and a constant number');
  const isMax = node.operator === 'Max';
  const mixed = mixedOperands(node, lowering);
  if (mixed) {
    const bound = scalar(node, mixed.constant, 0);
    const clip = isMax ? { low: bound, high: Infinity } : { low: -Infinity, high: bound };
    return likewise(mixed.shown, activation(mixed.shown.value, [1], clip, lowering));
  }
  const shown = [0, 1].map((index) => viewedAt(node, index, lowering)) as [Viewed, Viewed];
  const { a, b, show } = valueOperands(node, ...shown, lowering);
  return show(extremeOf(a, b, isMax, lowering));
}

/** The larger or the smaller of two values at every place. */
function extremeOf(a: Expression, b: Expression, isMax: boolean, lowering: Lowering): Expression {
  const sign = isMax ? 1 : -1;
  const [first, second] = [scale(a, [sign]), scale(b, [-sign])];
  const more = addExpressions(first, second) ?? weightedSum(first, second, lowering);
  const over = scale(activation(more, [0], unlimited, lowering), [sign]);
  return addExpressions(over, b) ?? weightedSum(over, b, lowering);
}

/** Largest or smallest channel of each group: of the first half and the last one, until one is left. */
export function channelExtremes(
  of: Expression,
  members: ChannelGroups['members'],
  isMax: boolean,
  lowering: Lowering,
): Expression {
  let left = members[0]?.length ?? 0;
  // The first channels of all groups, then the second ones, and so on.
  const inTurn = Array.from({ length: left }, (_, place) => members.map((group) => group[place] as number));
  let value = selected(lowering.plain(of), inTurn.flat(), lowering);
  while (left > 1) {
    const half = Math.ceil(left / 2);
    const from = (first: number): number[] =>
      Array.from({ length: half * members.length }, (_, i) => first * members.length + i);
    const [a, b] = [selected(value, from(0), lowering), selected(value, from(left - half), lowering)];
    value = lowering.plain(extremeOf(a, b, isMax, lowering));
    left = half;
  }
  return value;
}

/** Both values as functions of one node, put together. */
function curves(
  join: typeof addExpressions,
  a: Expression,
  b: Expression,
  lowering: Lowering,
): Expression | undefined {
  const pair = lowering.overOneNode(a, b);
  return pair && join(...pair);
}

/** A node for the sum of what varies; constants stay outside, where more may be added to them. */
function weightedSum(first: Expression, second: Expression, lowering: Lowering): Expression {
  const summands = [first, second].map((value) =>
    isLinear(value) && value.slope.length === 1 ? value : lowering.plain(value),
  ) as [Expression, Expression];
  const inputs = summands.map((value) => value.node) as [string, string];
  const multipliers = summands.map((value) => value.slope[0]) as [number, number];
  const sum = lowering.emit(
    { op: 'add', name: lowering.name('add'), inputs, multipliers },
    first.channels,
    first.height,
    first.width,
  );
  return summands.reduce((total, { constant }) => shift(total, constant), sum);
}

/** One function, if both are functions of one value, or a node of its own. */
function productOfValues(node: OnnxNode, first: Viewed, second: Viewed, lowering: Lowering): Viewed {
  const isProduct = node.operator === 'Mul';
  if (first.value.channels === second.value.channels) {
    const { a, b, show } = valueOperands(node, first, second, lowering);
    const joined = isProduct ? multiplyExpressions(a, b) : undefined;
    const product = joined ?? curves(isProduct ? multiplyExpressions : divideExpressions, a, b, lowering);
    if (product) return show(product);
  }
  const factor = isProduct ? second : likewise(second, reciprocal(second.value, lowering));
  const { a, b, show } = valueOperands(node, first, factor, lowering);
  return show(productOf(a, b, lowering));
}

/** A node for the product of two values of one shape. */
export function productOf(a: Expression, b: Expression, lowering: Lowering): Expression {
  const [left, right] = [lowering.plain(a), lowering.plain(b)];
  const { channels, height, width } = left;
  const inputs = [left.node, right.node] as const;
  const name = lowering.name('product');
  return lowering.emit({ op: 'product', name, inputs }, channels, height, width);
}

/** 1 / y, of a value that is not 0 wherever its range reaches. */
function reciprocal(value: Expression, lowering: Lowering): Expression {
  const { value: base, curve } = lowering.curve(value);
  return composed(base, curve, (y) => 1 / y);
}

/** Mul and Div: by a constant, or of two values, which are one function if they are functions of one value. */
export function lowerProduct(node: OnnxNode, lowering: Lowering): Viewed {
  const mixed = mixedOperands(node, lowering);
  if (!mixed)
    return productOfValues(node, viewedAt(node, 0, lowering), viewedAt(node, 1, lowering), lowering);
  const factor = perChannel(node, mixed.constant, mixed.shown);
  const value = forConstants(mixed.shown.value, factor, lowering);
  if (node.operator === 'Mul') return likewise(mixed.shown, scale(value, factor));
  if (mixed.constantFirst) {
    const inverse = forConstants(reciprocal(mixed.shown.value, lowering), factor, lowering);
    return likewise(mixed.shown, scale(inverse, factor));
  }
  if (factor.includes(0)) throw malformed(node, 'it divides by 0');
  const scaled = scale(
    value,
    factor.map((divisor) => 1 / divisor),
  );
  return likewise(mixed.shown, scaled);
}

/** Neg. */
export function lowerNegation(node: OnnxNode, lowering: Lowering): Viewed {
  const shown = viewedAt(node, 0, lowering);
  return likewise(shown, scale(shown.value, [-1]));
}

/** Pow with a small whole exponent. */
export function lowerPower(node: OnnxNode, lowering: Lowering): Viewed {
  const shown = viewedAt(node, 0, lowering);
  const exponent = scalar(node, constantAt(node, 1, lowering), 0);
  if (exponent === 1) return shown;
  const square = exponent === 2 ? multiplyExpressions(shown.value, shown.value) : undefined;
  if (square) return likewise(shown, square);
  if (!Number.isInteger(exponent) || exponent < 2 || exponent > 8)
    throw unsupported(node, 'whole exponents of 1 to 8');
  const { value, curve } = lowering.curve(shown.value);
  return likewise(
    shown,
    composed(value, curve, (y) => y ** exponent),
  );
}
