import { outputSize } from '@cipherdose/sdk/packing';
import { limits } from '@cipherdose/sdk/protocol';
import type { FloatLinear } from '../network/float-network.ts';
import type { Expression } from './expression.ts';
import { malformed, unsupported, type Lowering } from './lowering.ts';
import { constantAt, finite, integerOf } from './operands.ts';
import type { OnnxNode } from './read-graph.ts';
import type { Tensor } from './tensor.ts';
import { pairOf, type Margins, type Pair } from './windows.ts';

const largestStep = 64;

/** Weights of four dimensions, and how they are spread out. */
export interface Kernel {
  readonly tensor: Tensor;
  readonly groups: number;
  readonly dilation: Pair;
  readonly stride: Pair;
  /** [rows, columns], dilation included */
  readonly size: Pair;
}

/** The weights and steps of a Conv or ConvTranspose. @throws ONNX_INVALID, ONNX_UNSUPPORTED beyond the limits of plans */
export function kernelOf(node: OnnxNode, lowering: Lowering): Kernel {
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

/** Its bias, or zeros. */
export function biasOf(node: OnnxNode, channels: number, lowering: Lowering): Float64Array {
  const bias = constantAt(node, 2, lowering)?.data ?? new Float64Array(channels);
  if (bias.length !== channels) throw malformed(node, 'its bias does not fit its channels');
  return finite(node, bias);
}

/** @param fits what else has to hold between weights and channels */
export function checkChannels(node: OnnxNode, inChannels: number, outChannels: number, fits: boolean): void {
  if (!fits || !Number.isInteger(outChannels) || outChannels < 1)
    throw malformed(node, 'its weights do not fit its channels');
  if (Math.max(inChannels, outChannels) > limits.channels)
    throw unsupported(node, `up to ${limits.channels} channels`);
}

/** Who does a convolution: the host, on ciphertexts, or the client. */
export type Operation = 'linear' | 'convolution';

/** A convolution to be emitted. Weights: [out channel][in channel][row][column]. */
export interface Layer extends Pick<FloatLinear, 'outChannels' | 'weights' | 'bias'> {
  /** Done by the host or by the client. */
  readonly op: Operation;
  readonly kernel: Pair;
  readonly stride: Pair;
  readonly padding: Margins;
}

/** Emits a convolution that takes in the scale of its input, and can take in what follows. */
export function emitConvolution(
  node: OnnxNode,
  input: Expression,
  layer: Layer,
  lowering: Lowering,
): Expression {
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
