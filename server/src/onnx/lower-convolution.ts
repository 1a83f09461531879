import { outputSize } from '@cipherdose/sdk/packing';
import { limits } from '@cipherdose/sdk/protocol';
import type { Expression } from './expression.ts';
import { malformed, unsupported, type Lowering } from './lowering.ts';
import { constantAt, finite, integerOf, integersOf, textOf, valueAt } from './operands.ts';
import type { OnnxNode } from './read-graph.ts';
import type { Tensor } from './tensor.ts';

type Pair = readonly [number, number];

/** Conv: any kernel up to the limit; dilations and groups are written out as zeros. */
export function lowerConvolution(node: OnnxNode, lowering: Lowering): Expression {
  const input = lowering.withoutConstant(valueAt(node, 0, lowering), node);
  const tensor = constantAt(node, 1, lowering);
  const [outChannels, inChannels, rows, columns] = (tensor?.dims ?? []) as [number, number, number, number];
  const groups = integerOf(node, 'group', 1);
  if (tensor?.dims.length !== 4) throw malformed(node, 'its weights do not have four dimensions');
  const fits =
    inChannels * groups === input.channels && Number.isInteger(outChannels / groups) && outChannels >= 1;
  if (!fits || groups < 1) throw malformed(node, 'its weights do not fit its channels');
  const dilation = pairOf(node, 'dilations');
  const stride = pairOf(node, 'strides');
  const kernel = [(rows - 1) * dilation[0] + 1, (columns - 1) * dilation[1] + 1] as [number, number];
  if (Math.min(...kernel) < 1 || Math.max(...kernel) > limits.kernelSide)
    throw unsupported(node, `kernels of 1 to ${limits.kernelSide} taps a side`);
  if (stride[0] !== stride[1] || stride[0] > limits.stride)
    throw unsupported(node, `equal strides of 1 to ${limits.stride}`);
  if (outChannels > limits.channels || input.channels > limits.channels)
    throw unsupported(node, `up to ${limits.channels} channels`);
  const bias = constantAt(node, 2, lowering)?.data ?? new Float64Array(outChannels);
  if (bias.length !== outChannels) throw malformed(node, 'its bias does not fit its channels');
  const convolution = {
    inChannels: input.channels,
    outChannels,
    kernel,
    stride: [stride[0], stride[1]] as [number, number],
    padding: paddingOf(node, kernel, stride),
  };
  const size = outputSize(convolution, input.height, input.width);
  if (size.height < 1 || size.width < 1) throw malformed(node, 'the kernel is larger than the image');
  lowering.reserve(outChannels * input.channels * kernel[0] * kernel[1]);
  const weights = denseWeights(finite(node, tensor.data), tensor, groups, dilation, kernel, input);
  return lowering.emit(
    {
      op: 'linear',
      name: lowering.name('linear'),
      input: input.node,
      ...convolution,
      weights,
      bias: finite(node, bias),
    },
    outChannels,
    size.height,
    size.width,
  );
}

function pairOf(node: OnnxNode, attribute: string): Pair {
  const values = integersOf(node, attribute, [1, 1]);
  const sane =
    values.length === 2 && values.every((value) => Number.isInteger(value) && value >= 1 && value <= 64);
  if (!sane) throw malformed(node, `${attribute} ${values.join(',')}`);
  return values as unknown as Pair;
}

/** @returns [top, left, bottom, right], the order of ONNX and of the plan */
function paddingOf(node: OnnxNode, kernel: Pair, stride: Pair): [number, number, number, number] {
  const mode = textOf(node, 'auto_pad', 'NOTSET');
  if (mode === 'VALID') return [0, 0, 0, 0];
  if (mode === 'NOTSET') {
    const pads = integersOf(node, 'pads', [0, 0, 0, 0]);
    const sane =
      pads.length === 4 && pads.every((pad) => Number.isInteger(pad) && pad >= 0 && pad <= limits.kernelSide);
    if (!sane) throw malformed(node, `pads ${pads.join(',')}`);
    return [...pads] as [number, number, number, number];
  }
  if ((mode !== 'SAME_UPPER' && mode !== 'SAME_LOWER') || stride[0] !== 1)
    throw unsupported(node, 'explicit pads, or auto_pad with stride 1');
  const smaller = kernel.map((taps) => Math.floor((taps - 1) / 2)) as [number, number];
  const larger = kernel.map((taps) => Math.ceil((taps - 1) / 2)) as [number, number];
  return mode === 'SAME_UPPER' ? [...smaller, ...larger] : [...larger, ...smaller];
}

/** [out][in of a group][kh][kw] -> [out][in][dilated kh][dilated kw], with the input's own scale taken in. */
function denseWeights(
  data: Float64Array,
  tensor: Tensor,
  groups: number,
  dilation: Pair,
  kernel: Pair,
  input: Expression,
): Float64Array {
  const [outChannels, groupChannels, rows, columns] = tensor.dims as [number, number, number, number];
  const dense = new Float64Array(outChannels * input.channels * kernel[0] * kernel[1]);
  for (let source = 0; source < data.length; source++) {
    const kx = source % columns;
    const ky = Math.floor(source / columns) % rows;
    const inGroup = Math.floor(source / (columns * rows)) % groupChannels;
    const out = Math.floor(source / (columns * rows * groupChannels));
    const channel = Math.floor((out * groups) / outChannels) * groupChannels + inGroup;
    const target =
      ((out * input.channels + channel) * kernel[0] + ky * dilation[0]) * kernel[1] + kx * dilation[1];
    dense[target] = (data[source] as number) * ((input.slope[channel] ?? input.slope[0]) as number);
  }
  return dense;
}
