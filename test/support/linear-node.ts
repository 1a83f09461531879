import type { LinearNode } from '@cipherdose/sdk/protocol';

/** What a test says of a convolution; the rest is as in most of them. */
export type LinearShape = Pick<LinearNode, 'inChannels' | 'outChannels' | 'kernel'> & Partial<LinearNode>;

/** A convolution whose output has the size of its input (half of it with stride 2, if that is even). */
export function linearNode(shape: LinearShape): LinearNode {
  const [rows, columns] = shape.kernel;
  const [top, left] = [Math.floor((rows - 1) / 2), Math.floor((columns - 1) / 2)];
  return {
    op: 'linear',
    name: 'layer',
    input: 'image',
    layer: 0,
    stride: [1, 1],
    padding: [top, left, rows - 1 - top, columns - 1 - left],
    accumulatorBound: 0,
    ...shape,
  };
}
