import { DenoiseError } from '@cipherdose/sdk/errors';
import { inputsOf, type FloatNode } from '../network/float-network.ts';
import { curveOf, isLinear, isZero, valueOf, type Curve, type Expression } from './expression.ts';
import type { OnnxNode } from './read-graph.ts';
import type { Tensor } from './tensor.ts';
import type { View } from './view.ts';

/** What a name of the graph stands for. */
export type Meaning =
  | { readonly kind: 'constant'; readonly tensor: Tensor }
  | {
      readonly kind: 'value';
      readonly value: Expression;
      readonly view: View;
      /** The node that gave it this view, if it is not [batch, channels, rows, columns]. */
      readonly arrangedBy?: OnnxNode;
    };

/** @param supported what would have worked in its place */
export const unsupported = (node: OnnxNode, supported: string): DenoiseError =>
  new DenoiseError('ONNX_UNSUPPORTED', { operator: node.operator, node: node.name, supported });

/** A node whose inputs or attributes contradict themselves. */
export const malformed = (node: OnnxNode, reason: string): DenoiseError =>
  new DenoiseError('ONNX_INVALID', { operator: node.operator, node: node.name, reason });

/** Weights of all convolutions, dilations and groups written out, and of every folded copy. */
const mostWeights = 2 ** 24;
/** Elements of all tensors that are computed from constants. */
const mostConstants = 2 ** 24;
/** Functions that one curve may be made of. */
const deepestCurve = 32;

type Coefficients = readonly number[];
/** Makes a copy of a convolution whose output is multiplied and moved, channel by channel. */
type Fold = (slope: Coefficients, constant: Coefficients) => Expression;

/** Passing through a node that works on every channel alone: a value without a constant, and one factor for it. */
export interface Passing {
  readonly source: Expression;
  readonly slope: Coefficients;
}

/** The float network under construction and the meaning of every name so far. */
export class Lowering {
  readonly nodes: FloatNode[] = [];
  readonly #meanings = new Map<string, Meaning>();
  readonly #folds = new Map<string, Fold>();
  /** What a node is of another one, if it is a function that is the same for all channels. */
  readonly #origins = new Map<string, { readonly of: string; readonly curve: Curve }>();
  /** Nodes whose value is one pixel for each channel, however large the image is. */
  readonly #pixels = new Set<string>();
  readonly #made = new Map<string, Expression>();
  readonly #counts = new Map<string, number>();
  #weights = 0;
  #constants = 0;

  /** Version of the graph's operators. */
  readonly opset: number;

  constructor(opset: number) {
    this.opset = opset;
  }

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

  /** Takes the elements of one more computed constant into account. @throws ONNX_UNSUPPORTED if they are too many */
  reserveConstant(elements: number): void {
    this.#constants += elements;
    if (this.#constants > mostConstants)
      throw new DenoiseError('ONNX_UNSUPPORTED', {
        elements: this.#constants,
        supported: `${mostConstants} elements of computed constants`,
      });
  }

  /** Adds a node and gives its value. */
  emit(node: FloatNode, channels: number, height: number, width: number): Expression {
    if (!numbersOf(node).every(Number.isFinite))
      throw new DenoiseError('ONNX_INVALID', { node: node.name, reason: 'a coefficient is not finite' });
    if (node.op === 'globalPool' || (node.op !== 'broadcast' && this.isPixel(inputsOf(node)[0] as string))) {
      if (height !== 1 || width !== 1)
        throw new DenoiseError('ONNX_UNSUPPORTED', {
          node: node.name,
          supported:
            'what one pixel of global pooling stays one pixel in, and sums and products of it and a map',
        });
      this.#pixels.add(node.name);
    }
    this.nodes.push(node);
    this.#counts.set(node.op, (this.#counts.get(node.op) ?? 0) + 1);
    return valueOf(node.name, channels, height, width);
  }

  /** What `make` emits, or emitted before for the same key. */
  once(key: string, make: () => Expression): Expression {
    const made = this.#made.get(key) ?? make();
    this.#made.set(key, made);
    return made;
  }

  /** Whether the value of a node is one pixel, however large the image is. */
  isPixel(node: string): boolean {
    return this.#pixels.has(node);
  }

  /** A name that no node has. */
  name(op: FloatNode['op']): string {
    return `${op}${this.#counts.get(op) ?? 0}`;
  }

  /** Remembers how a convolution can take in what follows it. */
  onFold(value: Expression, fold: Fold): Expression {
    this.#folds.set(value.node, fold);
    return value;
  }

  /** Remembers that a value is a function of another one. */
  onCurve(value: Expression, of: string, curve: Curve): Expression {
    if (curve.depth < deepestCurve) this.#origins.set(value.node, { of, curve });
    return value;
  }

  /** A multiple for each channel of a node's value: what stands after a convolution goes into its weights. */
  foldLinear(value: Expression): Expression {
    const fold = this.#folds.get(value.node);
    if (!fold || !isLinear(value) || isPlain(value)) return value;
    const folded = fold(value.slope, value.constant);
    const curve = curveOf(value);
    return curve ? this.onCurve(folded, value.node, curve) : folded;
  }

  /** The value without a constant and without a square: what a convolution or a sum can take in. */
  withoutConstant(value: Expression): Expression {
    const folded = this.foldLinear(value);
    return isLinear(folded) && isZero(folded.constant) ? folded : this.plain(folded);
  }

  /** The value as one that only a single factor keeps from being that of a node. */
  passing(value: Expression): Passing {
    const folded = this.withoutConstant(value);
    const factor = folded.slope.length === 1 && (folded.slope[0] as number) > 0;
    const source = factor ? folded : this.plain(folded);
    return { source, slope: source.slope };
  }

  /** The value as the output of a node of its own. */
  plain(value: Expression): Expression {
    const folded = this.foldLinear(value);
    if (isPlain(folded)) return folded;
    const { node: input, channels, height, width } = folded;
    const emitted = this.emit(this.#nodeOf(folded), channels, height, width);
    const curve = curveOf(folded);
    return curve ? this.onCurve(emitted, input, curve) : emitted;
  }

  #nodeOf({ node: input, square, slope, constant, curve }: Expression): FloatNode {
    if (curve) return { op: 'function', name: this.name('function'), input, apply: curve.apply };
    if (isZero(square) && isZero(constant)) {
      const scaling = { positive: slope, negative: slope, low: -Infinity, high: Infinity };
      return { op: 'activation', name: this.name('activation'), input, ...scaling };
    }
    const [a, b, c] = [square, slope, constant].map((coefficients) =>
      new Set(coefficients).size === 1 ? (coefficients[0] as number) : coefficients,
    ) as [number, number, number];
    return { op: 'polynomial', name: this.name('polynomial'), input, square: a, slope: b, constant: c };
  }

  /** The value as a function of one node, the same for all channels; a node is made if it is none. */
  curve(value: Expression): { readonly value: Expression; readonly curve: Curve } {
    const folded = this.foldLinear(value);
    const curve = curveOf(folded);
    if (curve && curve.depth < deepestCurve) return { value: folded, curve };
    const plain = this.plain(folded);
    return { value: plain, curve: { apply: (x) => x, depth: 1 } };
  }

  /** Both values as functions of the last node that both depend on alone, or undefined. */
  overOneNode(a: Expression, b: Expression): [Expression, Expression] | undefined {
    const ancestors = this.#ancestors(this.foldLinear(a));
    const found = this.#ancestors(this.foldLinear(b)).find(({ node }) =>
      ancestors.some((ancestor) => ancestor.node === node),
    );
    const other = ancestors.find(({ node }) => node === found?.node);
    return found && other && [other, found];
  }

  /** A value as a function of its node, of the node that that one is a function of, and so on. */
  #ancestors(value: Expression): Expression[] {
    const result = [value];
    for (;;) {
      const last = result.at(-1) as Expression;
      const origin = this.#origins.get(last.node);
      const outer = curveOf(last);
      if (!origin || !outer || outer.depth + origin.curve.depth > deepestCurve) return result;
      const apply = (x: number): number => outer.apply(origin.curve.apply(x));
      result.push({ ...last, node: origin.of, curve: { apply, depth: outer.depth + origin.curve.depth } });
    }
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
      return [node.square, node.slope, node.constant].flat();
    case 'add':
      return node.multipliers;
    default:
      return [];
  }
}
