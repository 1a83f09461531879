import { privateLayers, valueSizes, type PrivateLayer, type ValueSize } from '../plan/index.ts';
import type { Plan } from '../protocol/index.ts';
import { chunkActivations } from '../two-party/index.ts';

/** Consecutive values of a map, [channel][row][column], that travel in one message. */
export interface Piece {
  readonly start: number;
  readonly count: number;
}

/** One layer of a slice: its maps, and in which pieces they travel. */
export interface SliceLayer extends PrivateLayer {
  /** Size of the layer's input map, of node.inChannels channels. */
  readonly input: ValueSize;
  /** Size of its output map, of node.outChannels channels. */
  readonly output: ValueSize;
  readonly inputs: readonly Piece[];
  /** Of the activations. */
  readonly chunks: readonly Piece[];
  readonly inputCount: number;
  readonly outputCount: number;
  /**
   * Bits of the values of `input`. Accumulators are used modulo 2^accumulatorBits, so what goes into the convolution need
   * not have more.
   */
  readonly inputBits: number;
  /** Bits of the values of `answer`. */
  readonly answerBits: number;
}

/** What both sides know of a slice from the plan and the size of the image. */
export interface SliceLayout {
  readonly layers: readonly SliceLayer[];
  /** Of all layers. */
  readonly activations: number;
}

/**
 * Lays out a slice of `height` x `width` pixels.
 * @throws PLAN_NOT_PRIVATE, PLAN_LIMIT, PLAN_INVALID
 */
export function sliceLayout(plan: Plan, { height, width }: ValueSize): SliceLayout {
  const sizes = valueSizes(plan, height, width);
  const layers = privateLayers(plan).map((layer): SliceLayer => {
    const { node, activation } = layer;
    const input = sizes.get(node.input) as ValueSize;
    const output = sizes.get(node.name) as ValueSize;
    const inputCount = node.inChannels * input.height * input.width;
    const outputCount = node.outChannels * output.height * output.width;
    return {
      ...layer,
      input,
      output,
      inputs: pieces(inputCount),
      chunks: pieces(outputCount),
      inputCount,
      outputCount,
      inputBits: activation.accumulatorBits,
      answerBits: activation.accumulatorBits,
    };
  });
  return { layers, activations: layers.reduce((sum, { outputCount }) => sum + outputCount, 0) };
}

function pieces(count: number): readonly Piece[] {
  return Array.from({ length: Math.ceil(count / chunkActivations) }, (_, i) => {
    const start = i * chunkActivations;
    return { start, count: Math.min(chunkActivations, count - start) };
  });
}
