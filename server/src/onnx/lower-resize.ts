import { limits } from '@cipherdose/sdk/protocol';
import {
  meant,
  padded,
  pooled,
  repeated as repeatedPixel,
  selected,
  shuffled,
  type Viewed,
} from './arrange.ts';
import type { Expression } from './expression.ts';
import { unsupported, type Lowering } from './lowering.ts';
import { constantAt, textOf, valueAt } from './operands.ts';
import type { OnnxNode } from './read-graph.ts';
import type { Block } from './view.ts';

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
