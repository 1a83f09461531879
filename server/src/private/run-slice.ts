import { DenoiseError } from '@cipherdose/sdk/errors';
import { packValues, unpackValues, type PrivateMessage } from '@cipherdose/sdk/private-session';
import { ActivateHost } from '@cipherdose/sdk/two-party';
import type { IntegerNetwork, LinearWeights } from '../network/integer-network.ts';
import { convolveShare } from '../network/share-convolution.ts';
import { checkTurn, dropPrepared, type PreparedLayer } from './prepare-slice.ts';
import type { Send } from './send.ts';

/** What a run needs of its session. */
export interface RunTools {
  readonly network: IntegerNetwork;
  readonly send: Send;
  /** Told of the host's share of a layer's input as soon as the activation before is done; it is the caller's to keep. */
  readonly layerReached: (layer: number, share: Uint32Array<ArrayBuffer>) => void;
}

/** The host's side of one layer with the image. */
interface LayerRun extends PreparedLayer {
  /** x_C - x'_C + x_S, as far as it is known. [inChannels][height][width] */
  readonly input: Uint32Array<ArrayBuffer>;
  /** Pieces of it that came. */
  inputs: number;
  answered: boolean;
  readonly activations: (ActivateHost | undefined)[];
  /** The host's share of the result, by chunk. */
  readonly finished: boolean[];
  /** Host's share of the activations. [outChannels][height][width] */
  readonly share: Uint32Array<ArrayBuffer>;
}

/** The host's side of a slice while its image is there: one linear layer and its activation after another. */
export class SliceRun {
  readonly #tools: RunTools;
  readonly #slice: number;
  readonly #layers: readonly LayerRun[];
  /** The layer whose input comes now. */
  #inputLayer = 0;

  /**
   * @param layers from the first one on that runs; the run uses them up
   * @param share x_S of the first one, where it is not the first of the plan
   */
  constructor(
    tools: RunTools,
    slice: number,
    layers: readonly PreparedLayer[],
    share: Uint32Array | undefined,
  ) {
    this.#tools = tools;
    this.#slice = slice;
    this.#layers = layers.map((prepared) => ({
      ...prepared,
      input: new Uint32Array(prepared.layer.inputCount),
      inputs: 0,
      answered: false,
      activations: prepared.layer.chunks.map(() => undefined),
      finished: prepared.layer.chunks.map(() => false),
      share: new Uint32Array(prepared.layer.outputCount),
    }));
    const [first] = this.#layers;
    if (share && first) first.input.set(share);
  }

  /** Whether the client has got, or is sent, all of the result. */
  get done(): boolean {
    return this.#layers.at(-1)?.finished.every(Boolean) === true;
  }

  /** @throws TWO_PARTY_ORDER, TWO_PARTY_REPLAYED, TWO_PARTY_LENGTH, TWO_PARTY_TOO_LARGE, TWO_PARTY_FOREIGN */
  input({ layer, piece, payload }: PrivateMessage): void {
    const run = this.#layers[this.#inputLayer];
    checkTurn(layer, piece, run?.layer.node.layer ?? -1, run?.inputs ?? 0);
    const place = run?.layer.inputs[piece];
    if (!run || !place) return;
    const before = this.#layers[this.#inputLayer - 1];
    // The host is behind the client by one message: its own share of this piece has to be there.
    if (before && before.finished[piece] !== true)
      throw new DenoiseError('TWO_PARTY_ORDER', { layer, piece, activated: false });
    const values = unpackValues(payload, place.count, run.layer.inputBits);
    for (let i = 0; i < values.length; i++) {
      const at = place.start + i;
      run.input[at] = (run.input[at] as number) + (values[i] as number);
    }
    run.inputs++;
    if (run.inputs < run.layer.inputs.length) return;
    this.#inputLayer++;
    this.#answer(run);
  }

  /** @throws TWO_PARTY_* */
  activation({ layer, piece, payload }: PrivateMessage): void {
    const index = this.#layers.findIndex((run) => run.layer.node.layer === layer);
    const run = this.#layers[index];
    const place = run?.layer.chunks[piece];
    if (!run || !place || !run.answered)
      throw new DenoiseError('TWO_PARTY_ORDER', { layer, piece, answered: false });
    if (run.finished[piece] === true) throw new DenoiseError('TWO_PARTY_REPLAYED', { layer, piece });
    const correlations = run.correlations[piece];
    if (!correlations) throw new DenoiseError('TWO_PARTY_SPENT', { layer, piece });
    const machine = (run.activations[piece] ??= new ActivateHost(correlations));
    const { send, result } = machine.receive(payload);
    if (send) this.#tools.send({ kind: 'activation', slice: this.#slice, layer, piece }, send);
    if (result) this.#finishChunk(index, piece, result);
  }

  /** Wipes everything. */
  drop(): void {
    for (const { activations, input, share } of this.#layers) {
      for (const machine of activations) machine?.drop();
      input.fill(0);
      share.fill(0);
    }
    dropPrepared(this.#layers);
  }

  /** W x + b + r' - r, of a layer whose input is whole. */
  #answer(run: LayerRun): void {
    const { layer, input, hidden, correlations } = run;
    const { node, output, answerBits } = layer;
    const weights = this.#tools.network.layers[node.layer] as LinearWeights;
    const inputMask = 2 ** layer.inputBits - 1;
    for (let i = 0; i < input.length; i++) input[i] = (input[i] as number) & inputMask;
    const sums = convolveShare(input, node, layer.input, weights);
    input.fill(0);
    const plane = output.height * output.width;
    layer.chunks.forEach(({ start, count }, piece) => {
      const masks = correlations[piece]?.masks as Uint32Array;
      const values = sums.subarray(start, start + count);
      for (let i = 0; i < count; i++) {
        const at = start + i;
        const bias = weights.bias[Math.floor(at / plane)] as number;
        values[i] = (values[i] as number) + bias + (hidden[at] as number) - (masks[i] as number);
      }
      const address = { slice: this.#slice, layer: node.layer, piece };
      this.#tools.send({ kind: 'answer', ...address }, packValues(values, answerBits));
    });
    hidden.fill(0);
    run.answered = true;
  }

  #finishChunk(index: number, piece: number, result: Uint32Array): void {
    const run = this.#layers[index] as LayerRun;
    const { layer } = run;
    const { start } = layer.chunks[piece] as { start: number };
    run.activations[piece] = undefined;
    run.finished[piece] = true;
    const next = this.#layers[index + 1];
    if (!next) {
      const address = { slice: this.#slice, layer: layer.node.layer, piece };
      this.#tools.send({ kind: 'result', ...address }, packValues(result, layer.activation.outputBits));
      return;
    }
    next.input.set(result, start);
    run.share.set(result, start);
    result.fill(0);
    if (!run.finished.every(Boolean)) return;
    this.#tools.layerReached(next.layer.node.layer, run.share.slice());
    run.share.fill(0);
  }
}
