import { padded } from './arrange.ts';
import type { Expression } from './expression.ts';
import { unsupported, type Lowering } from './lowering.ts';
import { constantAt, floatOf, integersOf, textOf, valueAt } from './operands.ts';
import type { OnnxNode } from './read-graph.ts';

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
