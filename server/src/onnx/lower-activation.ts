import { likewise, type Viewed } from './arrange.ts';
import { composed, type Expression } from './expression.ts';
import { erf } from './erf.ts';
import { malformed, type Lowering } from './lowering.ts';
import { constantAt, floatOf, perChannel, scalar, textOf, viewedAt } from './operands.ts';
import type { OnnxNode } from './read-graph.ts';

export const unlimited = { low: -Infinity, high: Infinity };

/** LeakyRelu, Relu and PRelu: x is multiplied by `leak` where it is below 0. */
export const lowerRectifier = (node: OnnxNode, lowering: Lowering): Viewed => {
  const shown = viewedAt(node, 0, lowering);
  const slope = node.operator === 'PRelu' ? constantAt(node, 1, lowering) : undefined;
  const alpha = node.operator === 'Relu' ? 0 : floatOf(node, 'alpha', 0.01);
  const leaks = slope ? perChannel(node, slope, shown) : [alpha];
  return likewise(shown, activation(shown.value, leaks, unlimited, lowering));
};

/** Clip, with its range as inputs (opset 11 on) or as attributes. */
export function lowerClip(node: OnnxNode, lowering: Lowering): Viewed {
  const low = scalar(node, constantAt(node, 1, lowering), floatOf(node, 'min', -Infinity));
  const high = scalar(node, constantAt(node, 2, lowering), floatOf(node, 'max', Infinity));
  if (!(low <= high)) throw malformed(node, `range ${low}..${high}`);
  const shown = viewedAt(node, 0, lowering);
  return likewise(shown, activation(shown.value, [1], { low, high }, lowering));
}

type Real = (x: number) => number;
const sigmoid: Real = (x) => 1 / (1 + Math.exp(-x));
const softplus: Real = (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
const clamp = (x: number, low: number, high: number): number => Math.max(low, Math.min(high, x));

/** Functions of one variable by the definitions of the ONNX operators; the client evaluates them in pieces. */
const functions: Readonly<Record<string, (node: OnnxNode) => Real>> = {
  Abs: () => Math.abs,
  Atan: () => Math.atan,
  Celu: (node) => {
    const alpha = floatOf(node, 'alpha', 1);
    return (x) => Math.max(0, x) + Math.min(0, alpha * Math.expm1(x / alpha));
  },
  Cos: () => Math.cos,
  Elu: (node) => {
    const alpha = floatOf(node, 'alpha', 1);
    return (x) => (x < 0 ? alpha * Math.expm1(x) : x);
  },
  Erf: () => erf,
  Exp: () => Math.exp,
  Gelu: (node) =>
    textOf(node, 'approximate', 'none') === 'tanh'
      ? (x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)))
      : (x) => 0.5 * x * (1 + erf(x / Math.SQRT2)),
  HardSigmoid: (node) => {
    const [alpha, beta] = [floatOf(node, 'alpha', 0.2), floatOf(node, 'beta', 0.5)];
    return (x) => clamp(alpha * x + beta, 0, 1);
  },
  HardSwish: () => (x) => x * clamp(x / 6 + 0.5, 0, 1),
  Log: () => Math.log,
  Mish: () => (x) => x * Math.tanh(softplus(x)),
  Reciprocal: () => (x) => 1 / x,
  Selu: (node) => {
    const [alpha, gamma] = [floatOf(node, 'alpha', 1.6732632), floatOf(node, 'gamma', 1.0507009)];
    return (x) => gamma * (x < 0 ? alpha * Math.expm1(x) : x);
  },
  Sigmoid: () => sigmoid,
  Sin: () => Math.sin,
  Softplus: () => softplus,
  Softsign: () => (x) => x / (1 + Math.abs(x)),
  Sqrt: () => Math.sqrt,
  Tanh: () => Math.tanh,
  ThresholdedRelu: (node) => {
    const alpha = floatOf(node, 'alpha', 1);
    return (x) => (x > alpha ? x : 0);
  },
};

/** Names of the functions of one variable. */
export const functionOperators = Object.keys(functions);

/** Any of {@link functionOperators}. */
export function lowerFunction(node: OnnxNode, lowering: Lowering): Viewed {
  const apply = (functions[node.operator] as (node: OnnxNode) => Real)(node);
  const shown = viewedAt(node, 0, lowering);
  const { value, curve } = lowering.curve(shown.value);
  return likewise(shown, composed(value, curve, apply));
}

/** The value times `leaks` where it is below 0, within the clip. @param leaks one for each channel, or one for all */
export function activation(
  value: Expression,
  leaks: readonly number[],
  clip: { readonly low: number; readonly high: number },
  lowering: Lowering,
): Expression {
  const input = lowering.withoutConstant(value);
  const at = (list: readonly number[], channel: number): number => (list[channel] ?? list[0]) as number;
  // A scale below 0 swaps the sides.
  const sides = Array.from({ length: Math.max(leaks.length, input.slope.length) }, (_, channel) => {
    const [slope, leak] = [at(input.slope, channel), at(leaks, channel)];
    return slope >= 0 ? [slope, slope * leak] : [slope * leak, slope];
  }) as [number, number][];
  const positive = sides.map(([above]) => above);
  const negative = sides.map(([, below]) => below);
  // Clip at 0 is a ReLU: that leaves every channel its own scale later.
  const rectifies = clip.low === 0 && [...positive, ...negative].every((multiplier) => multiplier >= 0);
  const rule = {
    positive,
    negative: rectifies ? negative.map(() => 0) : negative,
    low: rectifies ? -Infinity : clip.low,
    high: clip.high,
  };
  const emitted = lowering.emit(
    { op: 'activation', name: lowering.name('activation'), input: input.node, ...rule },
    input.channels,
    input.height,
    input.width,
  );
  if (positive.length !== 1) return emitted;
  const [above, below] = [positive[0] as number, rule.negative[0] as number];
  const apply = (x: number): number => clamp(x * (x < 0 ? below : above), rule.low, rule.high);
  return lowering.onCurve(emitted, input.node, { apply, depth: 1 });
}
