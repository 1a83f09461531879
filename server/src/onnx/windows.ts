import { limits } from '@cipherdose/sdk/protocol';
import { malformed, unsupported } from './lowering.ts';
import { integersOf, textOf } from './operands.ts';
import type { OnnxNode } from './read-graph.ts';

/** [rows, columns] */
export type Pair = readonly [number, number];
/** [top, left, bottom, right], the order of ONNX and of the plan */
export type Margins = [number, number, number, number];

/** An attribute of two numbers, 1 and 1 if it is not there. */
export function pairOf(node: OnnxNode, attribute: string, most: number): [number, number] {
  const values = integersOf(node, attribute, [1, 1]);
  if (values.length !== 2 || !values.every((value) => Number.isInteger(value) && value >= 1))
    throw malformed(node, `${attribute} ${values.join(',')}`);
  if (values.some((value) => value > most)) throw unsupported(node, `${attribute} of 1 to ${most}`);
  return [...values] as [number, number];
}

/** Explicit pads. */
export function padsOf(node: OnnxNode): Margins {
  const pads = integersOf(node, 'pads', [0, 0, 0, 0]);
  if (pads.length !== 4 || !pads.every((pad) => Number.isInteger(pad) && pad >= 0))
    throw malformed(node, `pads ${pads.join(',')}`);
  if (pads.some((pad) => pad > limits.kernelSide)) throw unsupported(node, `pads up to ${limits.kernelSide}`);
  return [...pads] as Margins;
}

/** Padding of a convolution or a pool on a map of a given size, explicit or by `auto_pad`. */
export function paddingOf(
  node: OnnxNode,
  kernel: Pair,
  stride: Pair,
  { height, width }: { readonly height: number; readonly width: number },
): Margins {
  const mode = textOf(node, 'auto_pad', 'NOTSET');
  if (mode === 'VALID') return [0, 0, 0, 0];
  if (mode === 'NOTSET') return padsOf(node);
  if (mode !== 'SAME_UPPER' && mode !== 'SAME_LOWER') throw malformed(node, `auto_pad ${mode}`);
  const totals = ([height, width] as const).map((size, axis) => {
    const step = stride[axis] as number;
    return Math.max(0, (Math.ceil(size / step) - 1) * step + (kernel[axis] as number) - size);
  });
  const smaller = totals.map((total) => Math.floor(total / 2)) as [number, number];
  const larger = totals.map((total) => Math.ceil(total / 2)) as [number, number];
  return mode === 'SAME_UPPER' ? [...smaller, ...larger] : [...larger, ...smaller];
}
