import { limits } from '@cipherdose/sdk/protocol';
import {
  arranged,
  arrangedOrPixel,
  broadcast,
  meant,
  pooled,
  repeated as repeatedPixel,
  selected,
  shuffled,
  viewed,
  type Viewed,
} from './arrange.ts';
import type { Expression } from './expression.ts';
import { malformed, unsupported, type Lowering, type Meaning } from './lowering.ts';
import { constantAt, floatOf, integerOf, integersOf, textOf, valueAt, viewedAt } from './operands.ts';
import type { OnnxNode } from './read-graph.ts';
import { dimsOf, imageView, repeatedView, reshaped, sameView, type Block, type View } from './view.ts';

/** DepthToSpace and SpaceToDepth, in every order of channels that ONNX has. */
export function lowerSpaceDepth(node: OnnxNode, lowering: Lowering): Viewed {
  const value = valueAt(node, 0, lowering);
  const factor = integerOf(node, 'blocksize', 0);
  if (!Number.isInteger(factor) || factor < 2 || factor > limits.shuffleFactor)
    throw unsupported(node, `factors of 2 to ${limits.shuffleFactor}`);
  const { channels: c, height: h, width: w } = value;
  const [split, order, joined] = ((): [number[], number[], number[]] => {
    if (node.operator === 'SpaceToDepth')
      return [
        [1, c, h / factor, factor, w / factor, factor],
        [0, 3, 5, 1, 2, 4],
        [1, c * factor ** 2, h / factor, w / factor],
      ];
    const rest = c / factor ** 2;
    const large = [1, rest, h * factor, w * factor];
    return textOf(node, 'mode', 'DCR') === 'CRD'
      ? [[1, rest, factor, factor, h, w], [0, 1, 4, 2, 5, 3], large]
      : [[1, factor, factor, rest, h, w], [0, 3, 4, 1, 5, 2], large];
  })();
  if (!joined.every(Number.isInteger))
    throw malformed(node, `sizes ${c}x${h}x${w} do not divide by ${factor}`);
  const view = reshaped(transposed(reshaped(imageView(value), split) ?? [], order), joined) ?? [];
  return viewed(value, view, node, lowering);
}

/** Flatten: two dimensions, those before an axis and the others. */
export function lowerFlatten(node: OnnxNode, lowering: Lowering): Meaning {
  const { value, view } = viewedAt(node, 0, lowering);
  const given = integerOf(node, 'axis', 1);
  const axis = given < 0 ? given + view.length : given;
  if (!(axis >= 0 && axis <= view.length)) throw malformed(node, `axis ${given}`);
  const dims = dimsOf(view);
  const all = (sizes: readonly number[]): number => sizes.reduce((product, size) => product * size, 1);
  const result = reshaped(view, [all(dims.slice(0, axis)), all(dims.slice(axis))]);
  return viewed(value, result as View, node, lowering);
}

/** Reshape. */
export function lowerReshape(node: OnnxNode, lowering: Lowering): Meaning {
  const { value, view } = viewedAt(node, 0, lowering);
  const shape = constantAt(node, 1, lowering);
  if (!shape || shape.data.length > 8) throw unsupported(node, 'a constant shape of up to 8 dimensions');
  const result = reshaped(view, resolve(node, [...shape.data], dimsOf(view)));
  if (!result) throw unsupported(node, 'shapes that split or join whole axes');
  return viewed(value, result, node, lowering);
}

/** Squeeze and Unsqueeze; axes as input (opset 13 on) or as attribute. */
export function lowerSqueeze(node: OnnxNode, lowering: Lowering): Meaning {
  const { value, view } = viewedAt(node, 0, lowering);
  const constant = constantAt(node, 1, lowering);
  const given = constant ? [...constant.data] : integersOf(node, 'axes', []);
  const dims = dimsOf(view);
  const removes = node.operator === 'Squeeze';
  const rank = removes ? dims.length : dims.length + given.length;
  const axes = given.map((axis) => (axis < 0 ? axis + rank : axis));
  if (axes.some((axis) => !(axis >= 0 && axis < rank)) || rank > 8)
    throw malformed(node, `axes ${given.join(',')}`);
  if (removes) {
    const gone = (dim: number, axis: number): boolean =>
      given.length === 0 ? dim === 1 : axes.includes(axis);
    if (dims.some((dim, axis) => gone(dim, axis) && dim !== 1))
      throw malformed(node, `axes ${given.join(',')}`);
    return viewed(
      value,
      view.filter((_, axis) => !gone(dims[axis] as number, axis)),
      node,
      lowering,
    );
  }
  const left = [...view];
  const result = Array.from({ length: rank }, (_, axis) => (axes.includes(axis) ? [] : (left.shift() ?? [])));
  return viewed(value, result, node, lowering);
}

const transposed = (view: View, order: readonly number[]): View => order.map((axis) => view[axis] ?? []);

/** Transpose. */
export function lowerTranspose(node: OnnxNode, lowering: Lowering): Meaning {
  const { value, view } = viewedAt(node, 0, lowering);
  const order = integersOf(
    node,
    'perm',
    view.map((_, i) => view.length - 1 - i),
  );
  if (String(order.toSorted((a, b) => a - b)) !== String(view.map((_, i) => i)))
    throw malformed(node, `perm ${order.join(',')}`);
  return viewed(value, transposed(view, order), node, lowering);
}

/** Resize and Upsample: every pixel repeated a whole number of times; one pixel of global pooling any number of times. */
export function lowerResize(node: OnnxNode, lowering: Lowering): Viewed {
  const value = valueAt(node, 0, lowering);
  const mode = textOf(node, 'mode', 'nearest');
  // Before opset 11 scales came second, and places were not measured from the middles of pixels.
  const old = node.inputs.length === 2;
  const coordinates = old ? 'asymmetric' : textOf(node, 'coordinate_transformation_mode', 'half_pixel');
  const rounding = old ? 'floor' : textOf(node, 'nearest_mode', 'round_prefer_floor');
  const plain =
    (coordinates === 'asymmetric' && rounding === 'floor') ||
    (coordinates === 'half_pixel' && rounding === 'round_prefer_floor');
  const scales = constantAt(node, old ? 1 : 2, lowering);
  const sizes = constantAt(node, 3, lowering);
  const dims = [1, value.channels, value.height, value.width];
  const factors = sizes?.data.length
    ? [...sizes.data].map((size, i) => size / (dims[i] as number))
    : [...(scales?.data ?? [])];
  const [batch, channel, rows, columns] = factors;
  const factor = rows ?? 0;
  if (
    lowering.isPixel(value.node) &&
    batch === 1 &&
    channel === 1 &&
    columns &&
    Math.min(factor, columns) >= 1
  )
    return repeatedPixel(value, Math.floor(factor), Math.floor(columns), node);
  const halfPixel = coordinates === 'half_pixel' || coordinates === 'pytorch_half_pixel';
  if (mode === 'linear' && halfPixel && String(factors) === '1,1,2,2')
    return meant(doubled(node, value, lowering));
  const fits =
    mode === 'nearest' &&
    plain &&
    batch === 1 &&
    channel === 1 &&
    [rows, columns].every((side) => side !== undefined && isFactor(side));
  if (!fits)
    throw unsupported(
      node,
      `mode nearest with whole factors up to ${limits.shuffleFactor} for rows and columns, mode linear ` +
        'with factor 2 and half-pixel coordinates (opset 11 on), or ConvTranspose',
    );
  const sides = [rows as number, columns as number] as const;
  return meant(repeated(node, value, sides, lowering));
}

const isFactor = (side: number): boolean =>
  Number.isInteger(side) && side >= 1 && side <= limits.shuffleFactor;

/** Every pixel so many times along rows and columns. */
function repeated(node: OnnxNode, value: Expression, factor: Block, lowering: Lowering): Expression {
  const copies = factor[0] * factor[1];
  if (copies === 1) return value;
  if (value.channels * copies > limits.channels)
    throw unsupported(node, `up to ${Math.floor(limits.channels / copies)} channels for this factor`);
  const sources = Array.from({ length: value.channels * copies }, (_, i) => Math.floor(i / copies));
  return shuffled(selected(value, sources, lowering), 'shuffle', factor, node, lowering);
}

/**
 * Twice the size by linear interpolation between the middles of pixels: pixels repeated, then means of two neighbours
 * along both axes, twice, which weighs them 1/4, 1/2, 1/4.
 */
function doubled(node: OnnxNode, value: Expression, lowering: Lowering): Expression {
  const twice = repeated(node, padded(node, value, 'edge', [1, 1, 1, 1], lowering), [2, 2], lowering);
  const mean = (of: Expression): Expression =>
    pooled(of, 'sum', { kernel: [2, 2], stride: [1, 1], padding: [0, 0, 0, 0] }, lowering);
  return padded(node, mean(mean(twice)), 'zero', [-1, -1, -1, -1], lowering);
}

/** Concat along the channels. */
export function lowerConcat(node: OnnxNode, lowering: Lowering): Meaning {
  const inputs = allAsLarge(
    node.inputs.map((_, i) => viewedAt(node, i, lowering)),
    lowering,
  );
  const [first] = inputs;
  if (!first || inputs.length > limits.concatInputs)
    throw unsupported(node, `1 to ${limits.concatInputs} inputs`);
  const rank = first.view.length;
  const axis = integerOf(node, 'axis', 1);
  const place = axis < 0 ? axis + rank : axis;
  const others = ({ value, view }: Viewed): string =>
    JSON.stringify([value.height, value.width, view.filter((_, i) => i !== place)]);
  const along = ({ value, view }: Viewed): boolean =>
    (view[place] ?? []).every((atom) => atom.axis === 'channel') && dimsOf(view)[place] === value.channels;
  if (!inputs.every((input) => others(input) === others(first) && along(input) && input.view.length === rank))
    throw unsupported(node, 'maps of one size, along their channels');
  if (inputs.length === 1) return first;
  const channels = inputs.reduce((sum, { value }) => sum + value.channels, 0);
  if (channels > limits.channels) throw unsupported(node, `up to ${limits.channels} channels`);
  const names = inputs.map(({ value }) => lowering.plain(value).node);
  const { height, width } = first.value;
  const result = lowering.emit(
    { op: 'concat', name: lowering.name('concat'), inputs: names },
    channels,
    height,
    width,
  );
  const channelAxis = imageView(result)[1] ?? [];
  return viewed(
    result,
    first.view.map((dimension, i) => (i === place ? channelAxis : dimension)),
    node,
    lowering,
  );
}

/** The values; a pixel that is shown as large as a map beside it becomes as large. */
function allAsLarge(inputs: readonly Viewed[], lowering: Lowering): readonly Viewed[] {
  const map = inputs.find(({ value }) => !lowering.isPixel(value.node));
  if (!map) return inputs;
  const like = lowering.plain(map.value);
  return inputs.map((shown) => {
    const { value, view } = shown;
    const isRepeated = sameView(view, repeatedView(value.channels, like.height, like.width));
    return isRepeated && lowering.isPixel(value.node) ? meant(broadcast(value, like, lowering)) : shown;
  });
}

/** Expand and Tile: copies of the channels, or of one pixel of global pooling. */
export function lowerCopies(node: OnnxNode, lowering: Lowering): Meaning {
  const shown = viewedAt(node, 0, lowering);
  const given = constantAt(node, 1, lowering);
  if (!given) throw malformed(node, 'it has no shape');
  const dims = dimsOf(shown.view);
  // A shape of fewer dimensions is aligned at the right, and so is one of more, whose further ones have to be 1.
  const rank = Math.max(dims.length, given.data.length);
  const wide = (list: readonly number[]): number[] => [...Array<number>(rank - list.length).fill(1), ...list];
  const [have, asked] = [wide(dims), wide([...given.data])];
  const copies = asked.map((dim, axis) =>
    node.operator === 'Tile' ? dim : Math.max(1, dim / (have[axis] as number)),
  );
  if (copies.every((count) => count === 1)) return shown;
  const [, , height, width] = asked as [number, number, number, number];
  if (lowering.isPixel(shown.value.node) && rank === 4 && copies[0] === 1 && copies[1] === 1)
    return repeatedPixel(arrangedOrPixel(shown, node, lowering), height, width, node);
  const value = arranged(shown, node, lowering);
  const [batch, channel, rows, columns] = copies;
  const count = channel as number;
  const fits = rank === 4 && batch === 1 && rows === 1 && columns === 1 && Number.isInteger(count);
  if (!fits || (node.operator === 'Expand' && value.channels !== 1))
    throw unsupported(node, 'copies of the channels, not of rows and columns');
  if (value.channels * count > limits.channels) throw unsupported(node, `up to ${limits.channels} channels`);
  const channels = Array.from({ length: value.channels * count }, (_, i) => i % value.channels);
  return meant(selected(value, channels, lowering));
}

/** Slice of channels, or of rows and columns; one range for each axis, all of them constant and forward. */
export function lowerSlice(node: OnnxNode, lowering: Lowering): Expression {
  const value = valueAt(node, 0, lowering);
  const list = (index: number, attribute: string): readonly number[] | undefined => {
    const tensor = constantAt(node, index, lowering);
    if (tensor) return [...tensor.data];
    const ints = integersOf(node, attribute, []);
    return ints.length > 0 ? ints : undefined;
  };
  const [starts = [], ends = []] = [list(1, 'starts'), list(2, 'ends')];
  const axes = list(3, 'axes') ?? starts.map((_, i) => i);
  const steps = list(4, 'steps') ?? starts.map(() => 1);
  let result = value;
  starts.forEach((start, i) => {
    const axis = ((axes[i] as number) + 4) % 4;
    const size = [1, result.channels, result.height, result.width][axis] as number;
    const within = (place: number): number => Math.max(0, Math.min(size, place < 0 ? place + size : place));
    const [first, end, step] = [within(start), within(ends[i] ?? size), steps[i] ?? 1];
    if (!(end > first) || step < 1) throw unsupported(node, 'ranges that go forward and are not empty');
    if (axis === 1)
      result = selected(
        result,
        Array.from({ length: Math.ceil((end - first) / step) }, (_, k) => first + k * step),
        lowering,
      );
    else if (first > 0 || end < size || step > 1) {
      if (axis === 0) throw unsupported(node, 'the whole of the batch');
      result = every(node, result, { axis: axis - 2, first, end, step }, lowering);
    }
  });
  return result;
}

interface Range {
  /** 0: rows, 1: columns. */
  readonly axis: number;
  readonly first: number;
  readonly end: number;
  readonly step: number;
}

/** Rows or columns `first`, `first` + `step` and so on below `end`: what is beyond goes, and of each `step` the first stays. */
function every(node: OnnxNode, value: Expression, range: Range, lowering: Lowering): Expression {
  const { axis, first, end, step } = range;
  if (step > limits.shuffleFactor) throw unsupported(node, `steps up to ${limits.shuffleFactor}`);
  const size = axis === 0 ? value.height : value.width;
  // Where all is taken in turns, the turn alone is chosen, so that all turns are of one and the same unshuffle.
  const inTurn = size % step === 0 && end === size && first < step;
  const last = inTurn ? size : first + Math.ceil((end - first) / step) * step;
  const cut: [number, number, number, number] = [0, 0, 0, 0];
  [cut[axis], cut[axis + 2]] = [inTurn ? 0 : -first, last - size];
  const whole = padded(node, value, 'zero', cut, lowering);
  if (step === 1) return whole;
  const blocks = shuffled(whole, 'unshuffle', axis === 0 ? [step, 1] : [1, step], node, lowering);
  const turns = Array.from({ length: whole.channels }, (_, channel) => channel * step + (inTurn ? first : 0));
  return selected(blocks, turns, lowering);
}

/** Split of channels; one value for each output. */
export function lowerSplit(node: OnnxNode, lowering: Lowering): Expression[] {
  const value = valueAt(node, 0, lowering);
  const axis = integerOf(node, 'axis', 0);
  if (axis !== 1 && axis !== -3) throw unsupported(node, 'parts along the channels');
  const given = constantAt(node, 1, lowering);
  const sizes = given ? [...given.data] : [...integersOf(node, 'split', [])];
  const count = node.outputs.length;
  const each = Math.ceil(value.channels / count);
  const parts =
    sizes.length > 0 ? sizes : node.outputs.map((_, i) => Math.min(each, value.channels - i * each));
  const whole = parts.reduce((sum, part) => sum + part, 0) === value.channels;
  if (parts.length !== count || !whole || !parts.every((part) => Number.isInteger(part) && part >= 1))
    throw malformed(node, `parts ${parts.join(',')} of ${value.channels} channels`);
  let first = 0;
  return parts.map((part) => {
    const from = first;
    first += part;
    return selected(
      value,
      Array.from({ length: part }, (_, i) => from + i),
      lowering,
    );
  });
}

/** Pad of rows and columns: constant 0, edge or reflect. */
export function lowerPad(node: OnnxNode, lowering: Lowering): Expression {
  const value = valueAt(node, 0, lowering);
  const constant = constantAt(node, 1, lowering);
  const pads = constant ? [...constant.data] : integersOf(node, 'pads', []);
  const mode = textOf(node, 'mode', 'constant');
  const filler = constantAt(node, 2, lowering)?.data[0] ?? floatOf(node, 'value', 0);
  if (pads.length !== 8 || !pads.every(Number.isInteger)) throw unsupported(node, 'pads for four dimensions');
  const [n0, c0, top, left, n1, c1, bottom, right] = pads as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const fills = { constant: 'zero', edge: 'edge', reflect: 'reflect' } as const;
  const fill = Object.hasOwn(fills, mode) ? fills[mode as keyof typeof fills] : undefined;
  if (!fill || filler !== 0 || [n0, c0, n1, c1].some((pad) => pad !== 0))
    throw unsupported(node, 'constant 0, edge or reflect, for rows and columns');
  return padded(node, value, fill, [top, left, bottom, right], lowering);
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

/** A Reshape's target with its 0 (keep) and -1 (infer) replaced. */
function resolve(node: OnnxNode, shape: readonly number[], dims: readonly number[]): number[] {
  const total = dims.reduce((product, dim) => product * dim, 1);
  const kept = shape.map((dim, i) => (dim === 0 ? (dims[i] ?? 0) : dim));
  const known = kept.filter((dim) => dim !== -1).reduce((product, dim) => product * dim, 1);
  const resolved = kept.map((dim) => (dim === -1 ? total / known : dim));
  const sane = resolved.every((dim) => Number.isInteger(dim) && dim >= 1);
  if (!sane || kept.filter((dim) => dim === -1).length > 1 || resolved.reduce((a, b) => a * b, 1) !== total)
    throw malformed(node, `shape ${shape.join('x')}`);
  return resolved;
}
