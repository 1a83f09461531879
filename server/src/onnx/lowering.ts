import { DenoiseError } from '@cipherdose/sdk/errors';
import type { FloatLinear, FloatNode } from '../network/float-network.ts';
import { isLinear, isZero, valueOf, type Expression } from './expression.ts';
import type { OnnxNode } from './read-graph.ts';
import type { Tensor } from './tensor.ts';

/** A value in the middle of Reshape, Transpose, Reshape: a pixel shuffle or its inverse written out. */
export interface SplitValue {
  readonly source: Expression;
  readonly op: 'unshuffle' | 'shuffle';
  readonly factor: number;
  readonly transposed: boolean;
}

/** What a name of the graph stands for. */
export type Meaning =
  | { readonly kind: 'constant'; readonly tensor: Tensor }
  | { readonly kind: 'value'; readonly value: Expression }
  | { readonly kind: 'split'; readonly split: SplitValue };

/** @param supported what would have worked in its place */
export const unsupported = (node: OnnxNode, supported: string): DenoiseError =>
  new DenoiseError('ONNX_UNSUPPORTED', { operator: node.operator, node: node.name, supported });

export const malformed = (node: OnnxNode, reason: string): DenoiseError =>
  new DenoiseError('ONNX_INVALID', { operator: node.operator, node: node.name, reason });

/** Weights of all convolutions, dilations and groups written out, and of every folded copy. */
const mostWeights = 2 ** 24;

/** The float network under construction and the meaning of every name so far. */
export class Lowering {
  readonly nodes: FloatNode[] = [];
  readonly #meanings = new Map<string, Meaning>();
  readonly #linear = new Map<string, FloatLinear>();
  #weights = 0;

  define(name: string, meaning: Meaning): void {
    if (name === '' || this.#meanings.has(name))
      throw new DenoiseError('ONNX_INVALID', { value: name, reason: 'the name is given twice' });
    this.#meanings.set(name, meaning);
  }

  meaning(name: string, node: OnnxNode): Meaning {
    const meaning = this.#meanings.get(name);
    if (!meaning) throw malformed(node, `input ${name} does not stand before it`);
    return meaning;
  }

  /** Takes the weights of one more convolution into account. @throws ONNX_UNSUPPORTED if they are too many */
  reserve(weights: number): void {
    this.#weights += weights;
    if (this.#weights > mostWeights)
      throw new DenoiseError('ONNX_UNSUPPORTED', {
        weights: this.#weights,
        supported: `${mostWeights} weights`,
      });
  }

  /** Adds a node and gives its value. */
  emit(node: FloatNode, channels: number, height: number, width: number): Expression {
    if (!numbersOf(node).every(Number.isFinite))
      throw new DenoiseError('ONNX_INVALID', { node: node.name, reason: 'a coefficient is not finite' });
    this.nodes.push(node);
    if (node.op === 'linear') this.#linear.set(node.name, node);
    return valueOf(node.name, channels, height, width);
  }

  /** A name that no node has. */
  name(op: FloatNode['op']): string {
    return `${op}${this.nodes.filter((node) => node.op === op).length}`;
  }

  /** A multiple for each channel of a node's value: what stands after a convolution goes into its weights. */
  foldLinear(value: Expression): Expression {
    const linear = this.#linear.get(value.node);
    if (!linear || !isLinear(value) || isPlain(value)) return value;
    this.reserve(linear.weights.length);
    const taps = linear.weights.length / linear.outChannels;
    const slope = (channel: number): number => (value.slope[channel] ?? value.slope[0]) as number;
    const constant = (channel: number): number => (value.constant[channel] ?? value.constant[0]) as number;
    const weights = linear.weights.map((weight, i) => weight * slope(Math.floor(i / taps)));
    const bias = linear.bias.map((offset, channel) => offset * slope(channel) + constant(channel));
    const folded = { ...linear, name: this.name('linear'), weights, bias };
    return this.emit(folded, value.channels, value.height, value.width);
  }

  /** The value without a constant and without a square: what a convolution or a sum can take in. */
  withoutConstant(value: Expression, node: OnnxNode): Expression {
    const folded = this.foldLinear(value);
    return isLinear(folded) && isZero(folded.constant) ? folded : this.plain(folded, node);
  }

  /** The value as the output of a node of its own. */
  plain(value: Expression, node: OnnxNode): Expression {
    const folded = this.foldLinear(value);
    if (isPlain(folded)) return folded;
    const { node: input, square, slope, constant, channels, height, width } = folded;
    if (isLinear(folded) && isZero(constant)) {
      const scaling = { positive: slope, negative: slope, low: -Infinity, high: Infinity };
      return this.emit(
        { op: 'activation', name: this.name('activation'), input, ...scaling },
        channels,
        height,
        width,
      );
    }
    const single = [square, slope, constant].every((coefficients) => new Set(coefficients).size === 1);
    if (!single)
      throw unsupported(node, 'one constant for all channels, or one for each right after a convolution');
    const [a, b, c] = [square[0] as number, slope[0] as number, constant[0] as number];
    const name = this.name('polynomial');
    return this.emit(
      { op: 'polynomial', name, input, square: a, slope: b, constant: c },
      channels,
      height,
      width,
    );
  }
}

const isPlain = (value: Expression): boolean =>
  isLinear(value) && isZero(value.constant) && value.slope.every((slope) => slope === 1);

function numbersOf(node: FloatNode): readonly number[] {
  switch (node.op) {
    case 'linear':
      return [...node.bias, node.weights.find((weight) => !Number.isFinite(weight)) ?? 0];
    case 'activation':
      return [...node.positive, ...node.negative];
    case 'polynomial':
      return [node.square, node.slope, node.constant];
    case 'add':
      return node.multipliers;
    default:
      return [];
  }
}
