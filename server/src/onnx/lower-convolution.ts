import { outputSize } from '@cipherdose/sdk/packing';
import { limits } from '@cipherdose/sdk/protocol';
import type { FloatLinear } from '../network/float-network.ts';
import type { Expression } from './expression.ts';
import { shuffled, type Viewed } from './arrange.ts';
import { malformed, unsupported, type Lowering } from './lowering.ts';
import { padded } from './lower-shuffle.ts';
import { constantAt, finite, floatOf, integerOf, integersOf, textOf, valueAt, viewedAt } from './operands.ts';
import type { OnnxNode } from './read-graph.ts';
import type { Tensor } from './tensor.ts';
import { dimsOf, sameView, whole } from './view.ts';
import { padsOf, paddingOf, pairOf, type Margins, type Pair } from './windows.ts';

const largestStep = 64;

/** Weights of four dimensions, and how they are spread out. */
interface Kernel {
  readonly tensor: Tensor;
  readonly groups: number;
  readonly dilation: Pair;
  readonly stride: Pair;
  /** [rows, columns], dilation included */
  readonly size: Pair;
}

function kernelOf(node: OnnxNode, lowering: Lowering): Kernel {
  const tensor = constantAt(node, 1, lowering);
  if (tensor?.dims.length !== 4) throw malformed(node, 'its weights do not have four dimensions');
  const groups = integerOf(node, 'group', 1);
  if (!(groups >= 1)) throw malformed(node, `${groups} groups`);
  const [, , rows, columns] = tensor.dims as [number, number, number, number];
  const dilation = pairOf(node, 'dilations', largestStep);
  const stride = pairOf(node, 'strides', largestStep);
  const size = [(rows - 1) * dilation[0] + 1, (columns - 1) * dilation[1] + 1] as const;
  if (Math.min(...size) < 1 || Math.max(...size) > limits.kernelSide)
    throw unsupported(node, `kernels of 1 to ${limits.kernelSide} taps a side, dilation included`);
  if (Math.max(...stride) > limits.stride) throw unsupported(node, `strides of 1 to ${limits.stride}`);
  return { tensor, groups, dilation, stride, size };
}

function biasOf(node: OnnxNode, channels: number, lowering: Lowering): Float64Array {
  const bias = constantAt(node, 2, lowering)?.data ?? new Float64Array(channels);
  if (bias.length !== channels) throw malformed(node, 'its bias does not fit its channels');
  return finite(node, bias);
}

function checkChannels(node: OnnxNode, inChannels: number, outChannels: number, fits: boolean): void {
  if (!fits || !Number.isInteger(outChannels) || outChannels < 1)
    throw malformed(node, 'its weights do not fit its channels');
  if (Math.max(inChannels, outChannels) > limits.channels)
    throw unsupported(node, `up to ${limits.channels} channels`);
}

/** Conv: any kernel up to the limit; dilations and groups are written out as zeros. */
export const lowerConvolution = (node: OnnxNode, lowering: Lowering): Expression =>
  lowerAs('linear', node, lowering);

/** PublicConv: a Conv that the client does, so that its weights have to stand in the plan. */
export const lowerPublicConvolution = (node: OnnxNode, lowering: Lowering): Expression =>
  lowerAs('convolution', node, lowering);

/** ReduceMean and ReduceSum over the channels. The client does it: the weights are no secret. */
export const channelSum = (node: OnnxNode, value: Expression, lowering: Lowering): Expression =>
  mixedChannels(node, value, 1, () => (node.operator === 'ReduceSum' ? 1 : 1 / value.channels), lowering);

/** Means over groups of channels that follow each other, each for all channels of its group. */
export function groupedMeans(
  node: OnnxNode,
  value: Expression,
  groups: number,
  lowering: Lowering,
): Expression {
  const size = value.channels / groups;
  const weight = (to: number, from: number): number =>
    Math.floor(to / size) === Math.floor(from / size) ? 1 / size : 0;
  return mixedChannels(node, value, value.channels, weight, lowering);
}

/** A convolution of one tap that the client does. */
function mixedChannels(
  node: OnnxNode,
  value: Expression,
  outChannels: number,
  weight: (to: number, from: number) => number,
  lowering: Lowering,
): Expression {
  const input = lowering.withoutConstant(value);
  const { channels } = input;
  if (channels * outChannels > limits.convolutionWeights)
    throw unsupported(node, `up to ${Math.sqrt(limits.convolutionWeights)} channels in groups`);
  const weights = Float64Array.from({ length: channels * outChannels }, (_, i) =>
    weight(Math.floor(i / channels), i % channels),
  );
  const layer: Layer = {
    ...{ op: 'convolution', outChannels, kernel: [1, 1], stride: [1, 1], padding: [0, 0, 0, 0] },
    weights,
    bias: new Float64Array(outChannels),
  };
  return linear(node, input, layer, lowering);
}

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
  return linear(node, source, { op, outChannels, kernel: size, stride, padding, weights, bias }, lowering);
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

type Operation = 'linear' | 'convolution';

interface Layer extends Pick<FloatLinear, 'outChannels' | 'weights' | 'bias'> {
  /** Done by the host or by the client. */
  readonly op: Operation;
  readonly kernel: Pair;
  readonly stride: Pair;
  readonly padding: Margins;
}

/** Emits a convolution that takes in the scale of its input, and can take in what follows. */
function linear(node: OnnxNode, input: Expression, layer: Layer, lowering: Lowering): Expression {
  const { outChannels } = layer;
  const shape = {
    inChannels: input.channels,
    outChannels,
    kernel: [...layer.kernel] as [number, number],
    stride: [...layer.stride] as [number, number],
    padding: layer.padding,
  };
  const size = outputSize(shape, input.height, input.width);
  if (size.height < 1 || size.width < 1) throw malformed(node, 'its kernel is larger than the image');
  const tapsOfInput = layer.kernel[0] * layer.kernel[1];
  const taps = input.channels * tapsOfInput;
  const scaled = layer.weights.map(
    (weight, i) => weight * ((input.slope[Math.floor((i % taps) / tapsOfInput)] ?? input.slope[0]) as number),
  );
  const emit = (weights: Float64Array, bias: Float64Array): Expression =>
    lowering.emit(
      { op: layer.op, name: lowering.name(layer.op), input: input.node, ...shape, weights, bias },
      outChannels,
      size.height,
      size.width,
    );
  return lowering.onFold(emit(scaled, layer.bias), (slope, constant) => {
    lowering.reserve(scaled.length);
    const of = (list: readonly number[], channel: number): number => (list[channel] ?? list[0]) as number;
    return emit(
      scaled.map((weight, i) => weight * of(slope, Math.floor(i / taps))),
      layer.bias.map((offset, channel) => offset * of(slope, channel) + of(constant, channel)),
    );
  });
}

/**
 * ConvTranspose: output row s * i + p of a transposed convolution of stride s takes every s-th tap of the kernel, so
 * the places of a block of stride rows and columns are channels of an ordinary convolution, and a pixel shuffle puts them
 * where they belong.
 */
export function lowerTransposedConvolution(node: OnnxNode, lowering: Lowering): Expression {
  const input = lowering.withoutConstant(valueAt(node, 0, lowering));
  const { tensor, groups, dilation, stride, size } = kernelOf(node, lowering);
  const [inChannels, groupChannels, rows, columns] = tensor.dims as [number, number, number, number];
  const places = stride[0] * stride[1];
  const outChannels = groupChannels * groups;
  const fits = inChannels === input.channels && Number.isInteger(inChannels / groups);
  checkChannels(node, input.channels, outChannels * places, fits);
  const margins = transposedMargins(node, [input.height, input.width], stride, size);
  const axes = ([0, 1] as const).map((axis) => {
    const length = axis === 0 ? input.height : input.width;
    const [step, taps] = [stride[axis], size[axis]];
    const { before, after, output } = margins[axis];
    const extra = output - (step * (length - 1) + taps - before - after);
    if (!(output >= 1) || before >= taps || after >= taps || !(extra >= 0 && extra < step + taps))
      throw malformed(node, 'its pads do not fit its kernel');
    // Output step * i + phase takes input i - d with tap step * d + phase + before.
    const first = Math.ceil((-(step - 1) - before) / step);
    const last = Math.floor((taps - 1 - before) / step);
    const blocks = Math.ceil(output / step);
    return {
      first,
      last,
      before,
      output,
      blocks,
      count: last - first + 1,
      end: Math.max(0, blocks - length - first),
    };
  }) as [TransposedAxis, TransposedAxis];
  const [down, across] = axes;
  const kernel = [down.count, across.count] as const;
  const padding: Margins = [down.last, across.last, down.end, across.end];
  if (Math.max(...kernel) > limits.kernelSide || Math.max(...padding) > limits.kernelSide)
    throw unsupported(node, `kernels of 1 to ${limits.kernelSide} taps a side`);
  const phases = outChannels * places;
  lowering.reserve(phases * inChannels * kernel[0] * kernel[1]);
  const weights = new Float64Array(phases * inChannels * kernel[0] * kernel[1]);
  const data = finite(node, tensor.data);
  for (let from = 0; from < data.length; from++) {
    const kx = (from % columns) * dilation[1] - across.before;
    const ky = (Math.floor(from / columns) % rows) * dilation[0] - down.before;
    const inGroup = Math.floor(from / (columns * rows)) % groupChannels;
    const channel = Math.floor(from / (columns * rows * groupChannels));
    const out = Math.floor((channel * groups) / inChannels) * groupChannels + inGroup;
    const [stepY, stepX] = stride;
    const [phaseY, phaseX] = [((ky % stepY) + stepY) % stepY, ((kx % stepX) + stepX) % stepX];
    const [dy, dx] = [(ky - phaseY) / stepY, (kx - phaseX) / stepX];
    const place = out * places + phaseY * stepX + phaseX;
    weights[((place * inChannels + channel) * kernel[0] + down.last - dy) * kernel[1] + across.last - dx] =
      data[from] as number;
  }
  const bias = biasOf(node, outChannels, lowering);
  const each = <T>(list: ArrayLike<T>): T[] =>
    Array.from({ length: phases }, (_, i) => (list[Math.floor(i / places)] ?? list[0]) as T);
  const layer: Layer = {
    op: 'linear',
    outChannels: phases,
    kernel,
    stride: [1, 1] as const,
    padding,
    weights,
    bias: Float64Array.from(each(bias)),
  };
  const blocks = linear(node, input, layer, lowering);
  const finish = (value: Expression): Expression => {
    if (places === 1) return cut(value);
    return cut(shuffled(value, 'shuffle', stride, node, lowering));
  };
  const cut = (value: Expression): Expression =>
    padded(node, value, 'zero', [0, 0, down.output - value.height, across.output - value.width], lowering);
  const result = finish(blocks);
  if (result.node === blocks.node) return result;
  return lowering.onFold(result, (slope, constant) =>
    finish(lowering.foldLinear({ ...blocks, slope: each(slope), constant: each(constant) })),
  );
}

interface TransposedMargins {
  /** Rows or columns that go before and after, and what is left. */
  readonly before: number;
  readonly after: number;
  readonly output: number;
}

/** Pads and size of the output for rows and columns: as given, or as `output_shape` or `auto_pad` ask for. */
function transposedMargins(
  node: OnnxNode,
  input: Pair,
  stride: Pair,
  taps: Pair,
): readonly [TransposedMargins, TransposedMargins] {
  const extra = integersOf(node, 'output_padding', [0, 0]);
  const shape = integersOf(node, 'output_shape', []).slice(-2);
  const mode = textOf(node, 'auto_pad', 'NOTSET');
  if (!['NOTSET', 'VALID', 'SAME_UPPER', 'SAME_LOWER'].includes(mode))
    throw malformed(node, `auto_pad ${mode}`);
  const pads = mode === 'VALID' ? [0, 0, 0, 0] : padsOf(node);
  const ofAxis = (axis: 0 | 1): TransposedMargins => {
    const whole = stride[axis] * (input[axis] - 1) + taps[axis] + (extra[axis] ?? 0);
    const asked = shape[axis] ?? (mode.startsWith('SAME') ? input[axis] * stride[axis] : undefined);
    if (asked === undefined) {
      const [before, after] = [pads[axis] as number, pads[axis + 2] as number];
      return { before, after, output: whole - before - after };
    }
    const surplus = Math.max(0, whole - asked);
    const [less, more] = [Math.floor(surplus / 2), Math.ceil(surplus / 2)];
    const [before, after] = mode === 'SAME_UPPER' ? [less, more] : [more, less];
    return { before, after, output: asked };
  };
  return [ofAxis(0), ofAxis(1)];
}

interface TransposedAxis {
  /** Smallest and largest distance d of an output block to the inputs it takes. */
  readonly first: number;
  readonly last: number;
  /** Padding before. */
  readonly before: number;
  /** Outputs, and blocks of a stride of them. */
  readonly output: number;
  readonly blocks: number;
  /** Taps of the ordinary convolution, and its padding at the end. */
  readonly count: number;
  readonly end: number;
}

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
  const value = linear(node, input, layer, lowering);
  const view = shown.view.map((dimension, i) => (i === place ? whole('channel', outChannels) : dimension));
  return { kind: 'value', value, view, arrangedBy: shown.arrangedBy ?? node };
}
