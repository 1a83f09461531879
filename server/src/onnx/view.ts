import { limits } from '@cipherdose/sdk/protocol';
import type { Expression } from './expression.ts';

/** A digit of the index along one axis of a value: that index is the sum of digit * step. A step of 0 repeats one pixel. */
export interface Atom {
  readonly axis: 'channel' | 'row' | 'column';
  readonly size: number;
  readonly step: number;
}

/**
 * How a tensor of the graph shows a value: for each of its dimensions the digits, most significant first, that its
 * index is made of. Reshape and Transpose only change the view; sizes of 1 have no digits.
 */
export type View = readonly (readonly Atom[])[];

/** Rows and columns of the blocks of a pixel shuffle. */
export type Block = readonly [number, number];

type Shaped = Pick<Expression, 'channels' | 'height' | 'width'>;

/** A whole axis as one dimension. */
export const whole = (axis: Atom['axis'], size: number): readonly Atom[] =>
  size === 1 ? [] : [{ axis, size, step: 1 }];

/** [batch, channels, rows, columns] */
export const imageView = ({ channels, height, width }: Shaped): View => [
  [],
  whole('channel', channels),
  whole('row', height),
  whole('column', width),
];

/** One pixel of every channel, shown as `height` x `width` of it. */
export const repeatedView = (channels: number, height: number, width: number): View => [
  [],
  whole('channel', channels),
  repeated('row', height),
  repeated('column', width),
];

const repeated = (axis: Atom['axis'], size: number): readonly Atom[] =>
  size === 1 ? [] : [{ axis, size, step: 0 }];

/** The view of the pixel that a view repeats, or the view itself. */
export const withoutRepeats = (view: View): View =>
  view.map((dimension) => dimension.filter(({ step }) => step !== 0));

export const sameView = (a: View, b: View): boolean => JSON.stringify(a) === JSON.stringify(b);

/** Dimensions of the tensor. */
export const dimsOf = (view: View): number[] =>
  view.map((dimension) => dimension.reduce((product, { size }) => product * size, 1));

/** @returns the view with other dimensions of the same pixels in the same order, or undefined if they do not fit */
export function reshaped(view: View, dims: readonly number[]): View | undefined {
  const left = view.flat();
  const result: Atom[][] = [];
  for (const wanted of dims) {
    const dimension: Atom[] = [];
    let missing = wanted;
    while (missing > 1) {
      const atom = left.shift();
      if (!atom) return undefined;
      if (missing % atom.size === 0) {
        dimension.push(atom);
        missing /= atom.size;
        continue;
      }
      if (atom.size % missing !== 0) return undefined;
      const rest = atom.size / missing;
      dimension.push({ ...atom, size: missing, step: atom.step * rest });
      left.unshift({ ...atom, size: rest });
      missing = 1;
    }
    result.push(joined(dimension));
  }
  return left.length === 0 ? result : undefined;
}

/** Neighbouring digits of one number are one. */
export function joined(dimension: readonly Atom[]): Atom[] {
  const result: Atom[] = [];
  for (const atom of dimension) {
    const last = result.at(-1);
    if (last?.axis === atom.axis && last.step === atom.step * atom.size)
      result[result.length - 1] = { ...atom, size: last.size * atom.size };
    else result.push(atom);
  }
  return result;
}

/** What has to be done to a value so that a view of four dimensions shows [batch, channels, rows, columns]. */
export interface Arrangement {
  readonly op: 'unshuffle' | 'shuffle' | undefined;
  readonly factor: Block;
  /** Before a shuffle, or after an unshuffle: channel i is channel select[i]. */
  readonly select: readonly number[];
}

/** @returns undefined if the view is not a pixel shuffle, its inverse or a change of the order of channels */
export function arrangementOf(value: Shaped, view: View): Arrangement | undefined {
  const [batch, channel, row, column] = view;
  if (view.length !== 4 || batch?.length !== 0 || !channel || !row || !column) return undefined;
  const [, , rows, columns] = dimsOf(view) as [number, number, number, number];
  const { height, width } = value;
  const is = (dimension: readonly Atom[], ...atoms: Atom[]): boolean =>
    JSON.stringify(dimension) === JSON.stringify(atoms.filter(({ size }) => size > 1));
  const rowsOf = (size: number, step: number): Atom => ({ axis: 'row', size, step });
  const columnsOf = (size: number, step: number): Atom => ({ axis: 'column', size, step });

  if (rows === height && columns === width) {
    const fits = is(row, rowsOf(height, 1)) && is(column, columnsOf(width, 1));
    const select = fits
      ? selection(channel, (atom) => (atom.axis === 'channel' ? atom.step : NaN))
      : undefined;
    return select && { op: undefined, factor: [1, 1], select };
  }
  if (rows <= height && columns <= width) {
    const factor = [height / rows, width / columns] as const;
    if (Math.max(...factor) > limits.shuffleFactor) return undefined;
    if (!is(row, rowsOf(rows, factor[0])) || !is(column, columnsOf(columns, factor[1]))) return undefined;
    const weight = ({ axis, size, step }: Atom): number => {
      if (axis === 'channel') return step * factor[0] * factor[1];
      const [whole, one] = axis === 'row' ? [factor[0], factor[1]] : [factor[1], 1];
      return size === whole && step === 1 ? one : NaN;
    };
    const select = selection(channel, weight);
    return select && { op: 'unshuffle', factor, select };
  }
  const factor = [rows / height, columns / width] as const;
  if (Math.max(...factor) > limits.shuffleFactor) return undefined;
  // The last digit of a side that grows is one of the channel's number.
  const grown = ([row, column] as const).map((dimension, axis) => {
    const last = dimension.at(-1);
    return (factor[axis] as number) > 1 && last?.axis === 'channel' ? [last] : [];
  }) as [Atom[], Atom[]];
  const ofBlock = (axis: 0 | 1): Atom[] =>
    grown[axis].map(({ step }) => ({ axis: 'channel', size: factor[axis], step }));
  const fits = is(row, rowsOf(height, 1), ...ofBlock(0)) && is(column, columnsOf(width, 1), ...ofBlock(1));
  const select = fits
    ? selection([...channel, ...grown[0], ...grown[1]], ({ axis, step }) => (axis === 'channel' ? step : NaN))
    : undefined;
  return select && { op: 'shuffle', factor, select };
}

/** The numbers that digits make, in order. */
export const numbersOf = (atoms: readonly Atom[]): number[] =>
  selection(atoms, ({ step }) => step) as number[];

/** Where every channel comes from, by the weight of each digit of its number; undefined if a digit has none. */
function selection(atoms: readonly Atom[], weight: (atom: Atom) => number): number[] | undefined {
  let sources = [0];
  for (const atom of atoms) {
    const step = weight(atom);
    if (!Number.isInteger(step)) return undefined;
    sources = sources.flatMap((source) =>
      Array.from({ length: atom.size }, (_, digit) => source + digit * step),
    );
  }
  return sources;
}
