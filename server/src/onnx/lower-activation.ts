import type { Expression } from './expression.ts';
import { malformed, type Lowering } from './lowering.ts';
import { constantAt, floatOf, perChannel, scalar, valueAt } from './operands.ts';
import type { OnnxNode } from './read-graph.ts';

const unlimited = { low: -Infinity, high: Infinity };

/** LeakyRelu, Relu and PRelu: x is multiplied by `leak` where it is below 0. */
export const lowerRectifier = (node: OnnxNode, lowering: Lowering): Expression => {
  const value = valueAt(node, 0, lowering);
  const slope = node.operator === 'PRelu' ? constantAt(node, 1, lowering) : undefined;
  const alpha = node.operator === 'Relu' ? 0 : floatOf(node, 'alpha', 0.01);
  const leaks = slope ? perChannel(node, slope, value.channels) : [alpha];
  return activation(node, value, leaks, unlimited, lowering);
};

/** Clip, with its range as inputs (opset 11 on) or as attributes. */
export function lowerClip(node: OnnxNode, lowering: Lowering): Expression {
  const low = scalar(node, constantAt(node, 1, lowering), floatOf(node, 'min', -Infinity));
  const high = scalar(node, constantAt(node, 2, lowering), floatOf(node, 'max', Infinity));
  if (!(low <= high)) throw malformed(node, `range ${low}..${high}`);
  return activation(node, valueAt(node, 0, lowering), [1], { low, high }, lowering);
}

function activation(
  node: OnnxNode,
  value: Expression,
  leaks: readonly number[],
  clip: { readonly low: number; readonly high: number },
  lowering: Lowering,
): Expression {
  const input = lowering.withoutConstant(value, node);
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
  return lowering.emit(
    {
      op: 'activation',
      name: lowering.name('activation'),
      input: input.node,
      positive,
      negative: rectifies ? negative.map(() => 0) : negative,
      low: rectifies ? -Infinity : clip.low,
      high: clip.high,
    },
    input.channels,
    input.height,
    input.width,
  );
}
