import {
  addExpressions,
  isLinear,
  multiplyExpressions,
  scale,
  shift,
  type Expression,
} from './expression.ts';
import { malformed, unsupported, type Lowering } from './lowering.ts';
import { constantAt, floatOf, perChannel, scalar, valueAt } from './operands.ts';
import type { OnnxNode } from './read-graph.ts';
import type { Tensor } from './tensor.ts';

interface Operands {
  readonly value: Expression;
  readonly constant: Tensor;
  readonly constantFirst: boolean;
}

/** The value and the constant of a two-sided operator, or undefined if both are values. */
function mixedOperands(node: OnnxNode, lowering: Lowering): Operands | undefined {
  const kinds = [0, 1].map((index) => lowering.meaning(node.inputs[index] ?? '', node).kind);
  const constantIndex = kinds.indexOf('constant');
  if (constantIndex < 0) return undefined;
  const constant = constantAt(node, constantIndex, lowering) as Tensor;
  return { value: valueAt(node, 1 - constantIndex, lowering), constant, constantFirst: constantIndex === 0 };
}

/** Add and Sub. */
export function lowerSum(node: OnnxNode, lowering: Lowering): Expression {
  const sign = node.operator === 'Sub' ? -1 : 1;
  const mixed = mixedOperands(node, lowering);
  if (mixed) {
    const offset = perChannel(node, mixed.constant, mixed.value.channels);
    return mixed.constantFirst
      ? shift(scale(mixed.value, [sign]), offset)
      : shift(
          mixed.value,
          offset.map((value) => value * sign),
        );
  }
  const first = valueAt(node, 0, lowering);
  const second = scale(valueAt(node, 1, lowering), [sign]);
  if (first.channels !== second.channels || first.height !== second.height || first.width !== second.width)
    throw unsupported(node, 'two values of one shape');
  return addExpressions(first, second) ?? weightedSum(node, first, second, lowering);
}

function weightedSum(node: OnnxNode, first: Expression, second: Expression, lowering: Lowering): Expression {
  const summands = [first, second].map((value) => {
    const simple =
      isLinear(value) && value.slope.length === 1 && value.constant.every((offset) => offset === 0);
    return simple ? value : lowering.plain(value, node);
  }) as [Expression, Expression];
  const inputs = summands.map((value) => value.node) as [string, string];
  const multipliers = summands.map((value) => value.slope[0]) as [number, number];
  return lowering.emit(
    { op: 'add', name: lowering.name('add'), inputs, multipliers },
    first.channels,
    first.height,
    first.width,
  );
}

/** Mul and Div: by a constant, or a value by itself. */
export function lowerProduct(node: OnnxNode, lowering: Lowering): Expression {
  const mixed = mixedOperands(node, lowering);
  if (!mixed) {
    const product = multiplyExpressions(valueAt(node, 0, lowering), valueAt(node, 1, lowering));
    if (!product || node.operator === 'Div')
      throw unsupported(node, 'a constant factor, or the square of a value');
    return product;
  }
  const factor = perChannel(node, mixed.constant, mixed.value.channels);
  if (node.operator === 'Mul') return scale(mixed.value, factor);
  if (mixed.constantFirst) throw unsupported(node, 'division by a constant');
  if (factor.includes(0)) throw malformed(node, 'it divides by 0');
  return scale(
    mixed.value,
    factor.map((value) => 1 / value),
  );
}

export const lowerNegation = (node: OnnxNode, lowering: Lowering): Expression =>
  scale(valueAt(node, 0, lowering), [-1]);

/** Pow with exponent 1 or 2. */
export function lowerPower(node: OnnxNode, lowering: Lowering): Expression {
  const value = valueAt(node, 0, lowering);
  const exponent = scalar(node, constantAt(node, 1, lowering), 0);
  if (exponent === 1) return value;
  const square = exponent === 2 ? multiplyExpressions(value, value) : undefined;
  if (!square) throw unsupported(node, 'the second power of a value that is not squared already');
  return square;
}

/** BatchNormalization with fixed statistics: gamma * (x - mean) / sqrt(variance + epsilon) + beta. */
export function lowerBatchNormalization(node: OnnxNode, lowering: Lowering): Expression {
  const value = valueAt(node, 0, lowering);
  const [gamma, beta, mean, variance] = [1, 2, 3, 4].map((index) => {
    const tensor = constantAt(node, index, lowering);
    if (tensor?.data.length !== value.channels)
      throw malformed(node, 'its statistics do not fit its channels');
    return perChannel(node, { ...tensor, dims: [value.channels, 1, 1] }, value.channels);
  }) as [number[], number[], number[], number[]];
  const epsilon = floatOf(node, 'epsilon', 1e-5);
  const factor = gamma.map((gain, channel) => gain / Math.sqrt((variance[channel] as number) + epsilon));
  if (!factor.every(Number.isFinite)) throw malformed(node, 'a variance is not positive');
  const offset = beta.map((base, channel) => base - (mean[channel] as number) * (factor[channel] as number));
  return shift(scale(value, factor), offset);
}
