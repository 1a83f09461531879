import { DenoiseError } from '../errors/index.ts';
import { emptyMap, type HuImage } from '../image/index.ts';
import {
  continueWalk,
  startWalk,
  type CheckedPlan,
  type FinishedWalk,
  type PendingLinear,
} from '../plan/index.ts';
import { packValues, unpackValues, type Piece, type PrivateMessage } from '../private-session/index.ts';
import { ActivateClient, signedResult } from '../two-party/index.ts';
import type { SendPrivate } from './private-jobs.ts';
import { dropPrepared, type PreparedLayer } from './private-preparation.ts';

/** Client's shares of the inputs of layers, by layer. */
export type LayerShares = Map<number, Uint32Array<ArrayBuffer>>;

/** What a run needs of its session. */
export interface RunTools {
  readonly plan: CheckedPlan;
  readonly send: SendPrivate;
  /** Told of each piece of activations that is done. */
  readonly progress: (layer: number, units: number) => void;
}

/** The client's side of one layer with the image. */
interface LayerRun extends PreparedLayer {
  /** Pieces of the input that were sent, and of the answer that came. */
  inputs: number;
  answers: number;
  readonly activations: (ActivateClient | undefined)[];
  /** Client's share of the activations, and how many chunks of it are there. [outChannels][height][width] */
  readonly share: Uint32Array<ArrayBuffer>;
  readonly finished: boolean[];
}

/** The client's side of a slice while its image is there: one linear layer and its activation after another. */
export class PrivateRun {
  readonly #tools: RunTools;
  readonly #slice: number;
  readonly #layers: readonly LayerRun[];
  readonly #walk: PendingLinear;
  /** Inputs of the layer that runs and of the one before, as far as they are whole; not of the plan's first layer. */
  readonly #kept: LayerShares = new Map();
  /** The layer that runs. */
  #current = 0;
  #results = 0;
  #rounds = 0;
  #image: HuImage | undefined;

  /**
   * @param layers from the first one on that runs; the run uses them up
   * @param share x_C of the first one, where it is not the first of the plan
   * @throws PLAN_*
   */
  constructor(
    tools: RunTools,
    slice: number,
    layers: readonly PreparedLayer[],
    image: HuImage,
    share: Uint32Array<ArrayBuffer> | undefined,
  ) {
    this.#tools = tools;
    this.#slice = slice;
    this.#walk = startWalk(tools.plan, image) as PendingLinear;
    this.#layers = layers.map((prepared) => ({
      ...prepared,
      inputs: 0,
      answers: 0,
      activations: prepared.layer.chunks.map(() => undefined),
      share: new Uint32Array(prepared.layer.outputCount),
      finished: prepared.layer.chunks.map(() => false),
    }));
    const first = this.#layers[0] as LayerRun;
    if (share) this.#kept.set(first.layer.node.layer, share.slice());
    const input = share?.slice() ?? Uint32Array.from(this.#walk.input.data);
    for (const piece of first.layer.inputs.keys()) this.#sendInput(first, input, piece);
    input.fill(0);
  }

  /** The denoised image, when it is there. */
  get image(): HuImage | undefined {
    return this.#image;
  }

  /** Answers that were waited for, one after another. */
  get rounds(): number {
    return this.#rounds;
  }

  /** @returns copies of what a later session needs to go on */
  shares(): LayerShares {
    return new Map([...this.#kept].map(([layer, share]) => [layer, share.slice()]));
  }

  /** @throws TWO_PARTY_* */
  answer({ layer, piece, payload }: PrivateMessage): void {
    const run = this.#layers[this.#current] as LayerRun;
    if (layer !== run.layer.node.layer || piece !== run.answers || run.inputs < run.layer.inputs.length)
      throw unexpected(layer, piece, run, piece < run.answers);
    const { start, count } = placeOf(run, piece);
    const u = unpackValues(payload, count, run.layer.answerBits);
    run.answers++;
    // The rounds of a layer: input and answer, then two of its activation.
    if (piece === 0) this.#rounds += 3;
    for (let i = 0; i < count; i++) u[i] = (u[i] as number) + (run.before[start + i] as number);
    run.before.fill(0, start, start + count);
    const correlations = run.correlations[piece];
    if (!correlations) throw new DenoiseError('TWO_PARTY_SPENT', { layer, piece });
    const machine = new ActivateClient(correlations, u);
    u.fill(0);
    run.activations[piece] = machine;
    this.#tools.send({ kind: 'activation', slice: this.#slice, layer, piece }, machine.tables);
  }

  /** @throws TWO_PARTY_* */
  activation({ layer, piece, payload }: PrivateMessage): void {
    const run = this.#layers[this.#current] as LayerRun;
    const machine = run.activations[piece];
    if (layer !== run.layer.node.layer || !machine)
      throw unexpected(layer, piece, run, run.finished[piece] === true);
    const { send, result } = machine.receive(payload);
    if (send) this.#tools.send({ kind: 'activation', slice: this.#slice, layer, piece }, send);
    if (!result) return;
    run.activations[piece] = undefined;
    run.finished[piece] = true;
    run.share.set(result, placeOf(run, piece).start);
    result.fill(0);
    this.#tools.progress(layer, 1);
    this.#goOn(run);
  }

  /** @throws TWO_PARTY_* */
  result({ layer, piece, payload }: PrivateMessage): void {
    const run = this.#layers.at(-1) as LayerRun;
    const { activation } = run.layer;
    if (layer !== run.layer.node.layer || piece !== this.#results || run.finished[piece] !== true)
      throw unexpected(layer, piece, run, piece < this.#results);
    const { start, count } = placeOf(run, piece);
    const values = unpackValues(payload, count, activation.outputBits);
    for (let i = 0; i < count; i++)
      run.share[start + i] = (run.share[start + i] as number) + (values[i] as number);
    this.#results++;
    if (this.#results < run.layer.chunks.length) return;
    this.#rounds++;
    // The plan's requantise still has to clamp, but its division is done: it has to find what that would have come from.
    const last = Int32Array.from(run.share, (sum) => signedResult(sum, activation) * 2 ** activation.shift);
    this.#image = this.#finishWalk(last);
  }

  /** Wipes everything. */
  drop(): void {
    for (const { activations, share } of this.#layers) {
      for (const machine of activations) machine?.drop();
      share.fill(0);
    }
    for (const share of this.#kept.values()) share.fill(0);
    this.#kept.clear();
    dropPrepared(this.#layers);
  }

  /** Sends what of the next layer's input is there, in order, and goes on to that layer when all of it is. */
  #goOn(run: LayerRun): void {
    const next = this.#layers[this.#current + 1];
    if (!next) return;
    while (next.inputs < next.layer.inputs.length && run.finished[next.inputs] === true)
      this.#sendInput(next, run.share, next.inputs);
    if (next.inputs < next.layer.inputs.length) return;
    const { layer } = next.layer.node;
    this.#kept.get(layer - 2)?.fill(0);
    this.#kept.delete(layer - 2);
    this.#kept.set(layer, run.share);
    this.#current++;
  }

  #sendInput(run: LayerRun, share: Uint32Array, piece: number): void {
    const { inputs, inputBits, node } = run.layer;
    const { start, count } = inputs[piece] as Piece;
    const difference = share.slice(start, start + count);
    for (let i = 0; i < count; i++)
      difference[i] = (difference[i] as number) - (run.uniform[start + i] as number);
    run.uniform.fill(0, start, start + count);
    run.inputs++;
    const address = { slice: this.#slice, layer: node.layer, piece };
    this.#tools.send({ kind: 'input', ...address }, packValues(difference, inputBits));
  }

  /** What is behind the last layer, with maps in between that nobody knows. */
  #finishWalk(last: Int32Array): HuImage {
    let step: PendingLinear | FinishedWalk = this.#walk;
    while (!step.done) {
      const { node, walk } = step;
      const { height, width } = walk.sizes.get(node.name) as { height: number; width: number };
      const map = emptyMap(node.outChannels, height, width);
      if (node.layer === this.#layers.at(-1)?.layer.node.layer) map.data.set(last);
      step = continueWalk(step, map);
    }
    return step.image;
  }
}

const placeOf = ({ layer }: LayerRun, piece: number): Piece => layer.chunks[piece] as Piece;

const unexpected = (layer: number, piece: number, run: LayerRun, before: boolean): DenoiseError =>
  new DenoiseError(before || layer < run.layer.node.layer ? 'TWO_PARTY_REPLAYED' : 'TWO_PARTY_ORDER', {
    layer,
    piece,
  });
