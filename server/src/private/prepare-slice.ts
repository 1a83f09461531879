import { DenoiseError } from '@cipherdose/sdk/errors';
import { planTiling } from '@cipherdose/sdk/packing';
import { decodeFrameHeader, parameterSet } from '@cipherdose/sdk/protocol';
import {
  correctionsInFlight,
  type Piece,
  type PrivateMessage,
  type SliceLayer,
} from '@cipherdose/sdk/private-session';
import {
  drawUniform,
  PrepareHost,
  type HostCorrelations,
  type TwoPartySession,
} from '@cipherdose/sdk/two-party';
import type { EvaluationContext } from '../evaluator/evaluate-frame.ts';
import { openMaskedLayer, type MaskedEvaluation, type MaskingSources } from '../evaluator/masked-layer.ts';
import type { Send } from './send.ts';

/** What a session computes with. */
export interface SliceTools {
  readonly context: Omit<EvaluationContext, 'layer'>;
  readonly session: TwoPartySession;
  readonly sources: MaskingSources;
  readonly send: Send;
}

/** What the host holds for one layer until the image is there. Used once. */
export interface PreparedLayer {
  readonly layer: SliceLayer;
  /** r' of the frames, uniform modulo t. [outChannels][height][width] */
  readonly hidden: Uint32Array;
  /** One for each chunk; their masks are r. */
  readonly correlations: readonly HostCorrelations[];
}

interface LayerInWork {
  readonly layer: SliceLayer;
  readonly hidden: Uint32Array;
  readonly correlations: HostCorrelations[];
}

/** A chunk on its way. */
interface ChunkInWork {
  readonly work: LayerInWork;
  readonly piece: number;
  readonly chunk: Piece;
}

/** The host's side of a slice before its image is there: masked replies to frames, and correlations of activations. */
export class SlicePreparation {
  readonly #tools: SliceTools;
  readonly #slice: number;
  readonly #works: readonly LayerInWork[];
  /** The layer whose frames come now, and how many came. */
  #frameLayer = 0;
  #frames = 0;
  #evaluation: MaskedEvaluation | undefined;
  readonly #chunks: readonly ChunkInWork[];
  #sent = 0;
  readonly #waiting: PrepareHost[] = [];
  #received = 0;
  #repliesLeft: number;

  /** @param layers that are left to run */
  constructor(tools: SliceTools, slice: number, layers: readonly SliceLayer[]) {
    this.#tools = tools;
    this.#slice = slice;
    const set = parameterSet(tools.context.network.plan.parameterSet);
    this.#repliesLeft = layers.reduce(
      (sum, { node, input }) =>
        sum + node.outChannels * planTiling(node, input.height, input.width, set).tiles,
      0,
    );
    this.#works = layers.map((layer) => {
      const hidden = new Uint32Array(layer.outputCount);
      drawUniform(tools.sources.random, hidden, set.plainModulusBits);
      return { layer, hidden, correlations: [] };
    });
    this.#chunks = this.#works.flatMap((work) =>
      work.layer.chunks.map((chunk, piece) => ({ work, chunk, piece })),
    );
  }

  /** Sends the first corrections. */
  start(): void {
    for (let i = 0; i < correctionsInFlight; i++) this.#sendCorrections();
  }

  /** Ciphertexts that have yet to be answered with. */
  get repliesLeft(): number {
    return this.#repliesLeft;
  }

  get done(): boolean {
    return this.#frameLayer === this.#works.length && this.#received === this.#chunks.length;
  }

  /** @returns what was prepared, which is then the caller's to drop. @throws TWO_PARTY_ORDER if it is not done */
  take(): readonly PreparedLayer[] {
    if (!this.done) throw new DenoiseError('TWO_PARTY_ORDER', { slice: this.#slice, prepared: false });
    return this.#works;
  }

  /** @throws TWO_PARTY_ORDER, TWO_PARTY_REPLAYED, FRAME_* */
  frame({ layer, piece, payload }: PrivateMessage): void {
    const work = this.#works[this.#frameLayer];
    const expected = work?.layer.node.layer ?? -1;
    checkTurn(layer, piece, expected, this.#frames);
    if (!work) return;
    const { height, width } = work.layer.input;
    this.#evaluation ??= openMaskedLayer(
      this.#tools.context,
      { layer, mapHeight: height, mapWidth: width, mask: work.hidden, bias: false },
      this.#tools.sources,
    );
    const reply = this.#evaluation.answer(payload);
    this.#repliesLeft -= decodeFrameHeader(payload, 'request').tiles * work.layer.node.outChannels;
    this.#frames++;
    if (this.#evaluation.done) {
      this.#evaluation = undefined;
      this.#frameLayer++;
      this.#frames = 0;
    }
    this.#tools.send({ kind: 'frame', slice: this.#slice, layer, piece }, reply);
  }

  /** @throws TWO_PARTY_* */
  corrections({ layer, piece, payload }: PrivateMessage): void {
    const next = this.#chunks[this.#received];
    checkTurn(layer, piece, next?.work.layer.node.layer ?? -1, next?.piece ?? 0);
    const machine = this.#waiting.shift();
    if (!machine || !next) return;
    const { result } = machine.receive(payload);
    if (result) next.work.correlations.push(result);
    this.#received++;
    this.#sendCorrections();
  }

  /** Wipes everything. */
  drop(): void {
    for (const machine of this.#waiting) machine.drop();
    this.#waiting.length = 0;
    this.#evaluation = undefined;
    dropPrepared(this.#works);
  }

  #sendCorrections(): void {
    const next = this.#chunks[this.#sent];
    if (!next) return;
    this.#sent++;
    const { layer } = next.work;
    const machine = new PrepareHost(this.#tools.session, layer.activation, next.chunk.count);
    this.#waiting.push(machine);
    const address = { slice: this.#slice, layer: layer.node.layer, piece: next.piece };
    this.#tools.send({ kind: 'corrections', ...address }, machine.corrections);
  }
}

/** Wipes what was prepared. */
export function dropPrepared(layers: readonly PreparedLayer[]): void {
  for (const { hidden, correlations } of layers) {
    hidden.fill(0);
    for (const each of correlations) each.drop();
  }
}

/** @param expectedLayer -1: nothing more is expected. @throws TWO_PARTY_REPLAYED, TWO_PARTY_ORDER */
export function checkTurn(layer: number, piece: number, expectedLayer: number, expectedPiece: number): void {
  if (layer === expectedLayer && piece === expectedPiece) return;
  const before =
    expectedLayer < 0 || layer < expectedLayer || (layer === expectedLayer && piece < expectedPiece);
  throw new DenoiseError(before ? 'TWO_PARTY_REPLAYED' : 'TWO_PARTY_ORDER', {
    received: `${String(layer)}/${String(piece)}`,
    expected: `${String(expectedLayer)}/${String(expectedPiece)}`,
  });
}
