import { DenoiseError } from '../errors/index.ts';
import type { SealCipher } from '../he/index.ts';
import {
  framesInFlight,
  type Piece,
  type PrivateMessage,
  type SliceLayer,
} from '../private-session/index.ts';
import {
  drawUniform,
  PrepareClient,
  type ClientCorrelations,
  type RandomSource,
  type TwoPartySession,
} from '../two-party/index.ts';
import type { SendPrivate } from './private-jobs.ts';
import { decryptShare, encryptShare, shareLayer, type ShareLayer } from './share-cipher.ts';

/** What a session computes with. */
export interface PrivateTools {
  readonly cipher: SealCipher;
  readonly session: TwoPartySession;
  readonly random: RandomSource;
  readonly send: SendPrivate;
  /** SHA-256 of the plan. */
  readonly digest: string;
  /** Told of each group of tiles that came back, and of each piece of activations. */
  readonly progress: (layer: number, units: number) => void;
}

/** What the client holds for one layer until the image is there. Used once. */
export interface PreparedLayer {
  readonly layer: SliceLayer;
  /** x'_C, uniform modulo t. [inChannels][height][width] */
  readonly uniform: Uint32Array<ArrayBuffer>;
  /** W x'_C - r', modulo t. [outChannels][height][width] */
  readonly before: Uint32Array<ArrayBuffer>;
  /** One for each chunk. */
  readonly correlations: ClientCorrelations[];
}

interface LayerInWork extends PreparedLayer {
  readonly frames: ShareLayer;
  requests: Generator<Uint8Array<ArrayBuffer>> | undefined;
}

/** A group of tiles, or a chunk of activations, on its way. */
interface Turn<Place> {
  readonly work: LayerInWork;
  readonly piece: number;
  readonly place: Place;
}

/** The client's side of a slice before its image is there: what goes into the layers, and correlations of activations. */
export class PrivatePreparation {
  readonly #tools: PrivateTools;
  readonly #slice: number;
  readonly #works: readonly LayerInWork[];
  readonly #groups: readonly Turn<ShareLayer['groups'][number]>[];
  readonly #chunks: readonly Turn<Piece>[];
  #sent = 0;
  #answered = 0;
  #corrected = 0;

  /** @param layers that are left to run. @throws PLAN_LIMIT */
  constructor(tools: PrivateTools, slice: number, layers: readonly SliceLayer[]) {
    const { set } = tools.cipher;
    this.#tools = tools;
    this.#slice = slice;
    this.#works = layers.map((layer) => ({
      layer,
      frames: shareLayer(set, tools.digest, layer.node, layer.input),
      requests: undefined,
      uniform: new Uint32Array(layer.inputCount),
      before: new Uint32Array(layer.outputCount),
      correlations: [],
    }));
    this.#groups = this.#works.flatMap((work) => turns(work, work.frames.groups));
    this.#chunks = this.#works.flatMap((work) => turns(work, work.layer.chunks));
  }

  /** Sends the first frame. The next ones follow one at a time, so that the host never waits long for corrections. */
  start(): void {
    this.#sendFrame();
  }

  get done(): boolean {
    return this.#answered === this.#groups.length && this.#corrected === this.#chunks.length;
  }

  /** @returns what was prepared, which is then the caller's to drop. @throws TWO_PARTY_ORDER if it is not done */
  take(): readonly PreparedLayer[] {
    if (!this.done) throw new DenoiseError('TWO_PARTY_ORDER', { slice: this.#slice, prepared: false });
    return this.#works;
  }

  /** @throws TWO_PARTY_ORDER, TWO_PARTY_REPLAYED, FRAME_* */
  frame(message: PrivateMessage): void {
    const turn = this.#groups[this.#answered];
    const { work, piece, place } = checkTurn(message, this.#answered < this.#sent ? turn : undefined);
    this.#answered++;
    // The host has the next one to work on while this one is decrypted.
    decryptShare(this.#tools.cipher, work.frames, place, message.payload, work.before);
    this.#sendFrame();
    this.#tools.progress(work.layer.node.layer, work.frames.groups[piece]?.group.tiles ?? 0);
  }

  /** @throws TWO_PARTY_* */
  corrections(message: PrivateMessage): void {
    const { work, piece, place } = checkTurn(message, this.#chunks[this.#corrected]);
    this.#corrected++;
    const { node, activation } = work.layer;
    const machine = new PrepareClient(this.#tools.session, activation, place.count);
    const { send, result } = machine.receive(message.payload);
    if (!send || !result) throw new DenoiseError('TWO_PARTY_ORDER', { layer: node.layer, piece });
    work.correlations.push(result);
    const { slice } = message;
    this.#tools.send({ kind: 'corrections', slice, layer: node.layer, piece }, send);
    this.#sendFrame();
    this.#tools.progress(node.layer, 1);
  }

  /** Wipes everything. */
  drop(): void {
    dropPrepared(this.#works);
  }

  #sendFrame(): void {
    const turn = this.#groups[this.#sent];
    if (!turn || this.#sent - this.#answered >= framesInFlight) return;
    this.#sent++;
    const { work, piece } = turn;
    const { cipher, random, send } = this.#tools;
    if (!work.requests) {
      drawUniform(random, work.uniform, cipher.set.plainModulusBits);
      work.requests = encryptShare(cipher, work.frames, work.uniform);
    }
    const frame = work.requests.next().value as Uint8Array<ArrayBuffer>;
    send({ kind: 'frame', slice: this.#slice, layer: work.layer.node.layer, piece }, frame);
  }
}

/** Wipes what was prepared. */
export function dropPrepared(layers: readonly PreparedLayer[]): void {
  for (const { uniform, before, correlations } of layers) {
    uniform.fill(0);
    before.fill(0);
    for (const each of correlations) each.drop();
  }
}

const turns = <Place>(work: LayerInWork, places: readonly Place[]): Turn<Place>[] =>
  places.map((place, piece) => ({ work, piece, place }));

/** @param expected undefined: nothing is waited for. @throws TWO_PARTY_REPLAYED, TWO_PARTY_ORDER */
function checkTurn<Place>({ layer, piece }: PrivateMessage, expected: Turn<Place> | undefined): Turn<Place> {
  const next = expected?.work.layer.node.layer ?? -1;
  if (expected && layer === next && piece === expected.piece) return expected;
  const before = layer < next || (layer === next && piece < (expected?.piece ?? 0));
  throw new DenoiseError(before ? 'TWO_PARTY_REPLAYED' : 'TWO_PARTY_ORDER', { layer, piece });
}
