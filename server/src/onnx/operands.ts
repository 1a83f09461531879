import type { Expression } from './expression.ts';
import { arranged, type Viewed } from './arrange.ts';
import { malformed, unsupported, type Lowering } from './lowering.ts';
import type { OnnxNode } from './read-graph.ts';
import type { Tensor } from './tensor.ts';
import { sameView, whole } from './view.ts';

/** The value at an input as [batch, channels, rows, columns]. @throws ONNX_UNSUPPORTED if it is none */
export function valueAt(node: OnnxNode, index: number, lowering: Lowering): Expression {
  return arranged(viewedAt(node, index, lowering), node, lowering);
}

/** The value at an input as the graph shows it. @throws ONNX_UNSUPPORTED if a constant stands there */
export function viewedAt(node: OnnxNode, index: number, lowering: Lowering): Viewed {
  const meaning = lowering.meaning(node.inputs[index] ?? '', node);
  if (meaning.kind !== 'value') throw unsupported(node, `an image value as input ${index}`);
  return meaning;
}

/** The constant at an input, or undefined where an optional input is left out. */
export function constantAt(node: OnnxNode, index: number, lowering: Lowering): Tensor | undefined {
  const name = node.inputs[index] ?? '';
  if (name === '') return undefined;
  const meaning = lowering.meaning(name, node);
  if (meaning.kind !== 'constant') throw unsupported(node, `a constant as input ${index}`);
  return meaning.tensor;
}

/** @throws ONNX_INVALID if a number is infinite */
export function finite(node: OnnxNode, data: Float64Array): Float64Array {
  if (!data.every(Number.isFinite)) throw malformed(node, 'a weight is infinite');
  return data;
}

/** The only number of a tensor. */
export function scalar(node: OnnxNode, tensor: Tensor | undefined, otherwise: number): number {
  if (!tensor) return otherwise;
  if (tensor.data.length !== 1) throw unsupported(node, 'a single number');
  return tensor.data[0] as number;
}

/** Coefficients of a constant that is broadcast over the pixels: one for all channels or one for each. */
export function perChannel(node: OnnxNode, tensor: Tensor, { value, view }: Viewed): number[] {
  if (tensor.data.length > Math.max(1, value.channels))
    throw unsupported(node, 'a constant for all channels or one for each');
  const data = [...finite(node, tensor.data)];
  if (data.length === 1) return data;
  // Broadcasting aligns at the right.
  const rank = view.length;
  const dims = [...Array<number>(rank).fill(1), ...tensor.dims].slice(-rank);
  const place = dims.findIndex((dim) => dim !== 1);
  const fits =
    tensor.dims.length <= rank &&
    data.length === value.channels &&
    dims[place] === data.length &&
    sameView([view[place] ?? []], [whole('channel', value.channels)]);
  if (!fits) throw unsupported(node, 'a constant for all channels or one for each');
  return data;
}

/** An attribute of whole numbers. */
export const integersOf = (
  node: OnnxNode,
  attribute: string,
  otherwise: readonly number[],
): readonly number[] => {
  const ints = node.attributes.get(attribute)?.ints;
  return ints && ints.length > 0 ? ints : otherwise;
};

/** An attribute of one whole number. */
export const integerOf = (node: OnnxNode, attribute: string, otherwise: number): number =>
  node.attributes.get(attribute)?.i ?? otherwise;

/** An attribute of one real number. */
export const floatOf = (node: OnnxNode, attribute: string, otherwise: number): number =>
  node.attributes.get(attribute)?.f ?? otherwise;

/** An attribute of text. */
export const textOf = (node: OnnxNode, attribute: string, otherwise: string): string => {
  const bytes = node.attributes.get(attribute)?.s;
  return bytes ? new TextDecoder().decode(bytes) : otherwise;
};

/** Axes of a Reduce operator on a value of `rank` dimensions, from 0; all of them if none are given. */
export function reducedAxes(node: OnnxNode, rank: number, lowering: Lowering): ReadonlySet<number> {
  const given = [...(constantAt(node, 1, lowering)?.data ?? integersOf(node, 'axes', []))];
  const axes = given.map((axis) => (axis < 0 ? axis + rank : axis));
  if (axes.some((axis) => !(axis >= 0 && axis < rank))) throw malformed(node, `axes ${given.join(',')}`);
  return new Set(axes.length > 0 ? axes : Array.from({ length: rank }, (_, axis) => axis));
}
