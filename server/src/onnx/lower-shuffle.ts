import { limits } from '@cipherdose/sdk/protocol';
import { isLinear, isZero, type Expression } from './expression.ts';
import { malformed, unsupported, type Lowering, type Meaning, type SplitValue } from './lowering.ts';
import { constantAt, integerOf, integersOf, textOf, valueAt } from './operands.ts';
import type { OnnxNode } from './read-graph.ts';

const meant = (value: Expression): Meaning => ({ kind: 'value', value });

/** DepthToSpace and SpaceToDepth, where ONNX's channel order is that of PyTorch's pixel shuffle. */
export function lowerSpaceDepth(node: OnnxNode, lowering: Lowering): Expression {
  const value = valueAt(node, 0, lowering);
  const factor = integerOf(node, 'blocksize', 0);
  if (node.operator === 'SpaceToDepth') {
    if (value.channels !== 1)
      throw unsupported(node, 'one channel (PyTorch orders the channels of more otherwise)');
    return shuffled(node, value, 'unshuffle', factor, lowering);
  }
  // Both modes are the same where a single channel comes out.
  if (textOf(node, 'mode', 'DCR') !== 'CRD' && value.channels !== factor * factor)
    throw unsupported(node, "mode CRD, which is PyTorch's PixelShuffle");
  return shuffled(node, value, 'shuffle', factor, lowering);
}

/** Reshape: none at all, or the first or the last step of a pixel shuffle written out. */
export function lowerReshape(node: OnnxNode, lowering: Lowering): Meaning {
  const meaning = lowering.meaning(node.inputs[0] ?? '', node);
  const shape = constantAt(node, 1, lowering);
  if (!shape || shape.data.length > 8) throw unsupported(node, 'a constant shape');
  if (meaning.kind === 'split') return meant(joined(node, meaning.split, [...shape.data], lowering));
  const value = valueAt(node, 0, lowering);
  const dims = [1, value.channels, value.height, value.width];
  const wanted = resolve(node, [...shape.data], dims);
  if (String(wanted) === String(dims)) return meant(value);
  const { channels: c, height: h, width: w } = value;
  for (let factor = 2; factor <= limits.shuffleFactor; factor++) {
    const unshuffle = [1, c, h / factor, factor, w / factor, factor];
    const shuffle = [1, c / factor ** 2, factor, factor, h, w];
    if (String(wanted) === String(unshuffle))
      return { kind: 'split', split: { source: value, op: 'unshuffle', factor, transposed: false } };
    if (String(wanted) === String(shuffle))
      return { kind: 'split', split: { source: value, op: 'shuffle', factor, transposed: false } };
  }
  throw unsupported(node, 'Reshape, Transpose, Reshape as PyTorch writes pixel_unshuffle');
}

/** What the Transpose between the two Reshapes has to be. Dimensions after the first Reshape: see lowerReshape. */
const permutations = { unshuffle: [0, 1, 3, 5, 2, 4], shuffle: [0, 1, 4, 2, 5, 3] };

export function lowerTranspose(node: OnnxNode, lowering: Lowering): Meaning {
  const meaning = lowering.meaning(node.inputs[0] ?? '', node);
  const permutation = integersOf(node, 'perm', []);
  const fits =
    meaning.kind === 'split' &&
    !meaning.split.transposed &&
    String(permutation) === String(permutations[meaning.split.op]);
  if (!fits) throw unsupported(node, 'Reshape, Transpose, Reshape as PyTorch writes pixel_unshuffle');
  return { kind: 'split', split: { ...meaning.split, transposed: true } };
}

function joined(node: OnnxNode, split: SplitValue, shape: readonly number[], lowering: Lowering): Expression {
  const { source, op, factor } = split;
  const { channels, height, width } = sizeAfter(source, op, factor);
  const dims = [1, channels, height, width];
  if (!split.transposed || String(resolve(node, shape, dims)) !== String(dims))
    throw unsupported(node, 'Reshape, Transpose, Reshape as PyTorch writes pixel_unshuffle');
  return shuffled(node, source, op, factor, lowering);
}

function sizeAfter({ channels, height, width }: Expression, op: SplitValue['op'], factor: number) {
  return op === 'unshuffle'
    ? { channels: channels * factor ** 2, height: height / factor, width: width / factor }
    : { channels: channels / factor ** 2, height: height * factor, width: width * factor };
}

function shuffled(
  node: OnnxNode,
  value: Expression,
  op: SplitValue['op'],
  factor: number,
  lowering: Lowering,
): Expression {
  if (!Number.isInteger(factor) || factor < 2 || factor > limits.shuffleFactor)
    throw unsupported(node, `factors of 2 to ${limits.shuffleFactor}`);
  // One scale for all channels passes through; anything else is made a value first.
  const folded = lowering.foldLinear(value);
  const passes = isLinear(folded) && isZero(folded.constant) && folded.slope.length === 1;
  const source = passes ? folded : lowering.plain(folded, node);
  const { channels, height, width } = sizeAfter(source, op, factor);
  if (![channels, height, width].every(Number.isInteger) || channels > limits.channels)
    throw malformed(
      node,
      `sizes ${source.channels}x${source.height}x${source.width} do not divide by ${factor}`,
    );
  const emitted = lowering.emit(
    { op, name: lowering.name(op), input: source.node, factor },
    channels,
    height,
    width,
  );
  return { ...emitted, slope: source.slope };
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
