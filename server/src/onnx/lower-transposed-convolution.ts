import { limits } from '@cipherdose/sdk/protocol';
import { padded, shuffled } from './arrange.ts';
import { biasOf, checkChannels, kernelOf, emitConvolution, type Layer } from './convolution-layer.ts';
import type { Expression } from './expression.ts';
import { malformed, unsupported, type Lowering } from './lowering.ts';
import { finite, integersOf, textOf, valueAt } from './operands.ts';
import type { OnnxNode } from './read-graph.ts';
import { padsOf, type Margins, type Pair } from './windows.ts';

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
  const blocks = emitConvolution(node, input, layer, lowering);
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
