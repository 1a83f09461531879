import { windowedSize, type PoolRule, type Windows } from '@cipherdose/sdk/image';
import { limits } from '@cipherdose/sdk/protocol';
import { scale, valueOf, type Expression } from './expression.ts';
import { malformed, unsupported, type Lowering, type Meaning } from './lowering.ts';
import type { OnnxNode } from './read-graph.ts';
import {
  arrangementOf,
  imageView,
  repeatedView,
  sameView,
  withoutRepeats,
  type Arrangement,
  type Block,
  type View,
} from './view.ts';

/** A value and how the graph shows it. */
export type Viewed = Extract<Meaning, { kind: 'value' }>;

/** A value as [batch, channels, rows, columns]. */
export const meant = (value: Expression): Viewed => ({ kind: 'value', value, view: imageView(value) });

/** A value after an operation that leaves every pixel of every channel where it is. */
export const likewise = ({ view, arrangedBy }: Viewed, value: Expression): Viewed =>
  sameView(view, imageView(value)) || !arrangedBy
    ? { kind: 'value', value, view }
    : { kind: 'value', value, view, arrangedBy };

/** A value in a new view; a pixel shuffle, its inverse and a change of the order of channels are carried out. */
export function viewed(value: Expression, view: View, node: OnnxNode, lowering: Lowering): Viewed {
  if (sameView(view, imageView(value))) return meant(value);
  const arrangement = arrangementOf(value, view);
  if (arrangement) return meant(arrange(value, arrangement, node, lowering));
  return { kind: 'value', value, view, arrangedBy: node };
}

/** One pixel of every channel as a map of `height` x `width` of it, as far as the graph can see. */
export const repeated = (value: Expression, height: number, width: number, node: OnnxNode): Viewed => ({
  kind: 'value',
  value,
  view: repeatedView(value.channels, height, width),
  arrangedBy: node,
});

/** A value as [batch, channels, rows, columns], or the one pixel that is repeated in place of such. */
export const arrangedOrPixel = (shown: Viewed, node: OnnxNode, lowering: Lowering): Expression =>
  arranged({ ...shown, view: withoutRepeats(shown.view) }, node, lowering);

/** The pixel as often as `like` has pixels. */
export function broadcast(pixel: Expression, like: Expression, lowering: Lowering): Expression {
  const { source, slope } = lowering.passing(pixel);
  const emitted = lowering.emit(
    { op: 'broadcast', name: lowering.name('broadcast'), inputs: [source.node, like.node] },
    pixel.channels,
    like.height,
    like.width,
  );
  return { ...emitted, slope };
}

/** @throws ONNX_UNSUPPORTED if the value is not shown as [batch, channels, rows, columns] */
export function arranged(
  { value, view, arrangedBy }: Viewed,
  node: OnnxNode,
  lowering: Lowering,
): Expression {
  if (sameView(view, imageView(value))) return value;
  const shown = viewed(value, view, node, lowering);
  if (shown.arrangedBy && lowering.isPixel(value.node))
    throw unsupported(
      node,
      'one pixel of global pooling as large as a map in sums, products and Concat only',
    );
  if (shown.arrangedBy)
    throw unsupported(
      arrangedBy ?? node,
      'Reshape and Transpose that together are a pixel shuffle, its inverse, a change of the order of channels or none',
    );
  return shown.value;
}

function arrange(
  value: Expression,
  { op, factor, select }: Arrangement,
  node: OnnxNode,
  lowering: Lowering,
): Expression {
  if (op === 'shuffle') return shuffled(selected(value, select, lowering), op, factor, node, lowering);
  const small = op === 'unshuffle' ? shuffled(value, op, factor, node, lowering) : value;
  return selected(small, select, lowering);
}

/** Channel i of the result is channel channels[i]. */
export function selected(value: Expression, channels: readonly number[], lowering: Lowering): Expression {
  if (channels.length === value.channels && channels.every((channel, i) => channel === i)) return value;
  const { source, slope } = lowering.passing(value);
  const { height, width } = source;
  const emitted = lowering.emit(
    { op: 'select', name: lowering.name('select'), input: source.node, channels },
    channels.length,
    height,
    width,
  );
  return { ...emitted, slope };
}

/** A pixel shuffle or its inverse, in the channel order of PyTorch. */
export function shuffled(
  value: Expression,
  op: 'unshuffle' | 'shuffle',
  factor: Block,
  node: OnnxNode,
  lowering: Lowering,
): Expression {
  // One scale for all channels passes through; anything else is made a value first.
  const { source, slope } = lowering.passing(value);
  const [rows, columns] = factor;
  const { channels, height, width } =
    op === 'unshuffle'
      ? {
          channels: source.channels * rows * columns,
          height: source.height / rows,
          width: source.width / columns,
        }
      : {
          channels: source.channels / (rows * columns),
          height: source.height * rows,
          width: source.width * columns,
        };
  if (channels > limits.channels) throw unsupported(node, `up to ${limits.channels} channels`);
  // A network that takes its image apart by slices asks for the same unshuffle once for each.
  const emitted = lowering.once(`${op} ${source.node} ${rows}x${columns}`, () =>
    lowering.emit(
      { op, name: lowering.name(op), input: source.node, factor: rows === columns ? rows : factor },
      channels,
      height,
      width,
    ),
  );
  return { ...valueOf(emitted.node, channels, height, width), slope };
}

/** The largest value of every window, or the mean: with padding as zeros if by `sum`, else without it. */
export function pooled(
  value: Expression,
  kind: PoolRule['kind'],
  windows: Windows,
  lowering: Lowering,
): Expression {
  const { source, slope } = lowering.passing(value);
  const { height, width } = windowedSize(windows, source.height, source.width);
  const emitted = lowering.emit(
    { op: 'pool', name: lowering.name('pool'), input: source.node, kind, ...windows },
    source.channels,
    height,
    width,
  );
  const taps = kind === 'sum' ? windows.kernel[0] * windows.kernel[1] : 1;
  return scale({ ...emitted, slope }, [1 / taps]);
}

/** @param padding [top, left, bottom, right]; below 0 takes rows and columns away */
export function padded(
  node: OnnxNode,
  value: Expression,
  fill: 'zero' | 'edge' | 'reflect',
  padding: readonly [number, number, number, number],
  lowering: Lowering,
): Expression {
  if (padding.every((pad) => pad === 0)) return value;
  if (padding.some((pad) => Math.abs(pad) > limits.kernelSide))
    throw unsupported(node, `up to ${limits.kernelSide} rows and columns`);
  const { source, slope } = lowering.passing(value);
  const [top, left, bottom, right] = padding;
  const [height, width] = [source.height + top + bottom, source.width + left + right];
  const mirrors =
    fill === 'reflect' && (Math.max(top, bottom) >= source.height || Math.max(left, right) >= source.width);
  if (height < 1 || width < 1 || mirrors) throw malformed(node, 'the image is too small for its pads');
  const emitted = lowering.emit(
    { op: 'pad', name: lowering.name('pad'), input: source.node, fill, padding },
    source.channels,
    height,
    width,
  );
  return { ...emitted, slope };
}
