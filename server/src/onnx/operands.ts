import type { Expression } from './expression.ts';
import { malformed, unsupported, type Lowering } from './lowering.ts';
import type { OnnxNode } from './read-graph.ts';
import type { Tensor } from './tensor.ts';

/** The value at an input. @throws ONNX_UNSUPPORTED if a constant or a reshaped value stands there. */
export function valueAt(node: OnnxNode, index: number, lowering: Lowering): Expression {
  const meaning = lowering.meaning(node.inputs[index] ?? '', node);
  if (meaning.kind !== 'value') throw unsupported(node, `an image value as input ${index}`);
  return meaning.value;
}

/** The constant at an input, or undefined where an optional input is left out. */
export function constantAt(node: OnnxNode, index: number, lowering: Lowering): Tensor | undefined {
  const name = node.inputs[index] ?? '';
  if (name === '') return undefined;
  const meaning = lowering.meaning(name, node);
  if (meaning.kind !== 'constant') throw unsupported(node, `a constant as input ${index}`);
  return meaning.tensor;
}

export function finite(node: OnnxNode, data: Float64Array): Float64Array {
  if (!data.every(Number.isFinite)) throw malformed(node, 'a weight is infinite');
  return data;
}

export function scalar(node: OnnxNode, tensor: Tensor | undefined, otherwise: number): number {
  if (!tensor) return otherwise;
  if (tensor.data.length !== 1) throw unsupported(node, 'a single number');
  return tensor.data[0] as number;
}

/** Coefficients of a constant that is broadcast over the pixels: one for all channels or one for each. */
export function perChannel(node: OnnxNode, tensor: Tensor, channels: number): number[] {
  if (tensor.data.length > Math.max(1, channels))
    throw unsupported(node, 'a constant for all channels or one for each');
  const data = [...finite(node, tensor.data)];
  if (data.length === 1) return data;
  // Broadcasting aligns at the right: [C, 1, 1] or [1, C, 1, 1].
  const dims = [...Array<number>(4).fill(1), ...tensor.dims].slice(-4);
  const fits = tensor.dims.length <= 4 && dims[1] === channels && data.length === channels;
  if (!fits) throw unsupported(node, 'a constant for all channels or one for each');
  return data;
}

export const integersOf = (
  node: OnnxNode,
  attribute: string,
  otherwise: readonly number[],
): readonly number[] => {
  const ints = node.attributes.get(attribute)?.ints;
  return ints && ints.length > 0 ? ints : otherwise;
};

export const integerOf = (node: OnnxNode, attribute: string, otherwise: number): number =>
  node.attributes.get(attribute)?.i ?? otherwise;

export const floatOf = (node: OnnxNode, attribute: string, otherwise: number): number =>
  node.attributes.get(attribute)?.f ?? otherwise;

export const textOf = (node: OnnxNode, attribute: string, otherwise: string): string => {
  const bytes = node.attributes.get(attribute)?.s;
  return bytes ? new TextDecoder().decode(bytes) : otherwise;
};
