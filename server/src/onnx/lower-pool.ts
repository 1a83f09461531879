import { windowedSize } from '@cipherdose/sdk/image';
import { limits } from '@cipherdose/sdk/protocol';
import { pooled } from './arrange.ts';
import type { Expression } from './expression.ts';
import { malformed, unsupported, type Lowering } from './lowering.ts';
import { integerOf, valueAt } from './operands.ts';
import type { OnnxNode } from './read-graph.ts';
import { pairOf, paddingOf } from './windows.ts';

/** GlobalMaxPool and GlobalAveragePool. */
export const lowerGlobalPool = (node: OnnxNode, lowering: Lowering): Expression =>
  globallyPooled(valueAt(node, 0, lowering), node.operator === 'GlobalMaxPool' ? 'max' : 'mean', lowering);

/** The largest value of every channel, or the mean. */
export function globallyPooled(value: Expression, kind: 'max' | 'mean', lowering: Lowering): Expression {
  const { source, slope } = lowering.passing(value);
  const pooling = { op: 'globalPool', name: lowering.name('globalPool'), input: source.node, kind } as const;
  return { ...lowering.emit(pooling, source.channels, 1, 1), slope };
}

/** MaxPool and AveragePool. */
export function lowerPool(node: OnnxNode, lowering: Lowering): Expression {
  const value = valueAt(node, 0, lowering);
  const kernel = pairOf(node, 'kernel_shape', limits.kernelSide);
  const stride = pairOf(node, 'strides', limits.stride);
  const dilation = pairOf(node, 'dilations', 1);
  if (dilation.some((step) => step !== 1)) throw unsupported(node, 'windows without dilation');
  const padding = paddingOf(node, kernel, stride, value);
  const average = node.operator === 'AveragePool';
  const counts = integerOf(node, 'count_include_pad', 0) === 1;
  if (integerOf(node, 'ceil_mode', 0) === 1) {
    const rest = [0, 1].map((axis) => {
      const size = axis === 0 ? value.height : value.width;
      const step = stride[axis] as number;
      const over =
        (size + (padding[axis] as number) + (padding[axis + 2] as number) - (kernel[axis] as number)) % step;
      return over === 0 ? 0 : step - over;
    });
    if (average && counts && rest.some((pad) => pad > 0))
      throw unsupported(node, 'windows that fit, ceil_mode 0 or count_include_pad 0');
    padding[2] += rest[0] as number;
    padding[3] += rest[1] as number;
  }
  if (Math.max(padding[0], padding[2]) >= kernel[0] || Math.max(padding[1], padding[3]) >= kernel[1])
    throw malformed(node, 'a window could lie in the padding alone');
  const windows = { kernel, stride, padding };
  const { height, width } = windowedSize(windows, value.height, value.width);
  if (height < 1 || width < 1) throw malformed(node, 'the window is larger than the image');
  // A sum is exact, a mean is rounded: padding that does not count needs one.
  const kind = !average ? 'max' : counts || padding.every((pad) => pad === 0) ? 'sum' : 'mean';
  return pooled(value, kind, windows, lowering);
}
