import type { Viewed } from './arrange.ts';
import { checkChannels, emitConvolution, type Layer } from './convolution-layer.ts';
import { unsupported, type Lowering } from './lowering.ts';
import { constantAt, finite, floatOf, integerOf, viewedAt } from './operands.ts';
import type { OnnxNode } from './read-graph.ts';
import { dimsOf, sameView, whole } from './view.ts';

/** MatMul and Gemm of a constant with the channels of a value: a convolution of one tap. */
export function lowerMatrixProduct(node: OnnxNode, lowering: Lowering): Viewed {
  const left = lowering.meaning(node.inputs[0] ?? '', node);
  const valueFirst = left.kind === 'value';
  const shown = viewedAt(node, valueFirst ? 0 : 1, lowering);
  const matrix = constantAt(node, valueFirst ? 1 : 0, lowering);
  const gemm = node.operator === 'Gemm';
  const rank = shown.view.length;
  const place = valueFirst ? rank - 1 : rank - 2;
  const along = sameView([shown.view[place] ?? []], [whole('channel', shown.value.channels)]);
  const plain = !gemm || (valueFirst && integerOf(node, 'transA', 0) === 0 && rank === 2);
  const square = matrix?.dims.slice(0, -2).every((dim) => dim === 1) && matrix.dims.length >= 2;
  if (!matrix || !square || !along || !plain || dimsOf(shown.view)[place] !== shown.value.channels)
    throw unsupported(node, 'a constant matrix that multiplies the channels of every pixel');
  const [rows, columns] = matrix.dims.slice(-2) as [number, number];
  // The matrix is [in][out] after the value, unless Gemm transposes it, and [out][in] before it.
  const outFirst = valueFirst ? gemm && integerOf(node, 'transB', 0) === 1 : true;
  const [outChannels, inChannels] = outFirst ? [rows, columns] : [columns, rows];
  checkChannels(node, inChannels, outChannels, inChannels === shown.value.channels);
  const alpha = gemm ? floatOf(node, 'alpha', 1) : 1;
  const data = finite(node, matrix.data);
  lowering.reserve(data.length);
  const weights = Float64Array.from(data, (_, i) => {
    const [out, channel] = [Math.floor(i / inChannels), i % inChannels];
    return alpha * (data[outFirst ? out * inChannels + channel : channel * outChannels + out] as number);
  });
  const offset = gemm ? constantAt(node, 2, lowering)?.data : undefined;
  if (offset && offset.length !== 1 && offset.length !== outChannels)
    throw unsupported(node, 'one constant for all channels or one for each');
  const beta = gemm ? floatOf(node, 'beta', 1) : 1;
  const bias = Float64Array.from(
    { length: outChannels },
    (_, channel) => beta * (offset?.[channel] ?? offset?.[0] ?? 0),
  );
  const input = lowering.withoutConstant(shown.value);
  const layer: Layer = {
    op: 'linear',
    outChannels,
    kernel: [1, 1],
    stride: [1, 1],
    padding: [0, 0, 0, 0],
    weights,
    bias: finite(node, bias),
  };
  const value = emitConvolution(node, input, layer, lowering);
  const view = shown.view.map((dimension, i) => (i === place ? whole('channel', outChannels) : dimension));
  return { kind: 'value', value, view, arrangedBy: shown.arrangedBy ?? node };
}
