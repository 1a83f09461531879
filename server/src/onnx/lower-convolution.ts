import { limits } from '@cipherdose/sdk/protocol';
import { biasOf, checkChannels, kernelOf, emitConvolution, type Operation } from './convolution-layer.ts';
import type { Expression } from './expression.ts';
import { unsupported, type Lowering } from './lowering.ts';
import { finite, valueAt } from './operands.ts';
import type { OnnxNode } from './read-graph.ts';
import { paddingOf, type Margins } from './windows.ts';

/** Conv: any kernel up to the limit; dilations and groups are written out as zeros. */
export const lowerConvolution = (node: OnnxNode, lowering: Lowering): Expression =>
  lowerAs('linear', node, lowering);

/** PublicConv: a Conv that the client does, so that its weights have to stand in the plan. */
export const lowerPublicConvolution = (node: OnnxNode, lowering: Lowering): Expression =>
  lowerAs('convolution', node, lowering);

function lowerAs(op: Operation, node: OnnxNode, lowering: Lowering): Expression {
  const input = lowering.withoutConstant(valueAt(node, 0, lowering));
  const { tensor, groups, dilation, stride, size } = kernelOf(node, lowering);
  const [outChannels, groupChannels] = tensor.dims as [number, number];
  const fits = groupChannels * groups === input.channels && Number.isInteger(outChannels / groups);
  checkChannels(node, input.channels, outChannels, fits);
  const bias = biasOf(node, outChannels, lowering);
  const { source, padding } = withPads(input, paddingOf(node, size, stride, input), lowering);
  const data = finite(node, tensor.data);
  const count = outChannels * input.channels * size[0] * size[1];
  if (op === 'convolution' && count > limits.convolutionWeights)
    throw unsupported(node, `up to ${limits.convolutionWeights} weights that the client gets`);
  lowering.reserve(count);
  const weights = new Float64Array(count);
  // [out][in of a group][kh][kw] -> [out][in][dilated kh][dilated kw]
  const [, , rows, columns] = tensor.dims as [number, number, number, number];
  for (let from = 0; from < data.length; from++) {
    const kx = from % columns;
    const ky = Math.floor(from / columns) % rows;
    const inGroup = Math.floor(from / (columns * rows)) % groupChannels;
    const out = Math.floor(from / (columns * rows * groupChannels));
    const channel = Math.floor((out * groups) / outChannels) * groupChannels + inGroup;
    const target =
      ((out * input.channels + channel) * size[0] + ky * dilation[0]) * size[1] + kx * dilation[1];
    weights[target] = data[from] as number;
  }
  return emitConvolution(
    node,
    source,
    { op, outChannels, kernel: size, stride, padding, weights, bias },
    lowering,
  );
}

/** Zero padding by a Pad right before goes into the convolution's own. */
function withPads(
  input: Expression,
  padding: Margins,
  lowering: Lowering,
): { readonly source: Expression; readonly padding: Margins } {
  const pad = lowering.nodes.findLast(({ name }) => name === input.node);
  if (pad?.op !== 'pad' || pad.fill !== 'zero') return { source: input, padding };
  const both = padding.map((own, side) => own + (pad.padding[side] as number)) as Margins;
  if (pad.padding.some((side) => side < 0) || Math.max(...both) > limits.kernelSide)
    return { source: input, padding };
  const [top, left, bottom, right] = pad.padding;
  const [height, width] = [input.height - top - bottom, input.width - left - right];
  return { source: { ...input, node: pad.input, height, width }, padding: both };
}
