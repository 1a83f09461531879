import { limits } from '@cipherdose/sdk/protocol';
import {
  arranged,
  arrangedOrPixel,
  broadcast,
  meant,
  repeated,
  selected,
  viewed,
  type Viewed,
} from './arrange.ts';
import { malformed, unsupported, type Lowering, type Meaning } from './lowering.ts';
import { constantAt, integerOf, viewedAt } from './operands.ts';
import type { OnnxNode } from './read-graph.ts';
import { dimsOf, repeatedView, sameView, type View } from './view.ts';

/** Concat along the channels, or of maps along an axis of its own, as torch.stack does it. */
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
  const blocks = inputs.map((input) => blocksAlong(input, place));
  const step = blocks[0]?.step ?? 0;
  const fits = (input: Viewed, i: number): boolean =>
    blocks[i]?.step === step && others(input) === others(first) && input.view.length === rank;
  if (!inputs.every(fits)) throw unsupported(node, 'maps of one size, along their channels');
  if (inputs.length === 1) return first;
  const size = blocks.reduce((sum, block) => sum + (block?.size ?? 0), 0);
  const channels = size * step;
  if (channels > limits.channels) throw unsupported(node, `up to ${limits.channels} channels`);
  const names = inputs.map(({ value }) => lowering.plain(value).node);
  const { height, width } = first.value;
  const result = lowering.emit(
    { op: 'concat', name: lowering.name('concat'), inputs: names },
    channels,
    height,
    width,
  );
  const all: View[number] = [{ axis: 'channel', size, step }];
  return viewed(
    result,
    first.view.map((dimension, i) => (i === place ? all : dimension)),
    node,
    lowering,
  );
}

/** How many blocks of `step` channels that follow each other are along an axis, if it goes over all channels so. */
function blocksAlong({ value, view }: Viewed, place: number): { size: number; step: number } | undefined {
  const [atom, ...more] = view[place] ?? [];
  if (!atom) return { size: 1, step: value.channels };
  const isAll = atom.axis === 'channel' && more.length === 0 && atom.size * atom.step === value.channels;
  return isAll ? atom : undefined;
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
    return repeated(arrangedOrPixel(shown, node, lowering), height, width, node);
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
