import { limits } from '@cipherdose/sdk/protocol';
import { padded, selected, shuffled } from './arrange.ts';
import type { Expression } from './expression.ts';
import { malformed, unsupported, type Lowering } from './lowering.ts';
import { constantAt, integerOf, integersOf, valueAt } from './operands.ts';
import type { OnnxNode } from './read-graph.ts';

/** Slice of channels, or of rows and columns; one range for each axis, all of them constant, and forward but for channels. */
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
    const step = steps[i] ?? 1;
    if (step === 0 || ![start, ends[i] ?? 0, step].every(Number.isInteger))
      throw malformed(node, `from ${start} in steps of ${step}`);
    // Backwards a range begins with the last one at most, and ends before the first.
    const most = step < 0 ? size - 1 : size;
    const least = step < 0 ? -1 : 0;
    const within = (place: number): number =>
      Math.max(least, Math.min(most, place < 0 ? place + size : place));
    const [first, end] = [Math.max(0, within(start)), within(ends[i] ?? size)];
    const count = Math.ceil((end - first) / step);
    if (!(count >= 1)) throw unsupported(node, 'ranges that are not empty');
    if (axis === 1) {
      const channels = Array.from({ length: count }, (_, k) => first + k * step);
      result = selected(result, channels, lowering);
    } else if (step < 0) throw unsupported(node, 'rows and columns that go forward');
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
