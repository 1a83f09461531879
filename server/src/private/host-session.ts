import { DenoiseError } from '@cipherdose/sdk/errors';
import {
  checkLength,
  decodeOpen,
  encodeOpened,
  PrivateReader,
  PrivateWriter,
  sliceLayout,
  type PrivateAddress,
  type PrivateMessage,
  type SliceLayout,
  type SliceOpening,
} from '@cipherdose/sdk/private-session';
import {
  HostHandshake,
  readHeader,
  type FieldBits,
  type RandomSource,
  type TwoPartyKernel,
  type TwoPartySession,
} from '@cipherdose/sdk/two-party';
import type { EvaluationContext } from '../evaluator/evaluate-frame.ts';
import type { ZeroSource } from '../evaluator/zero-source.ts';
import { giveBack } from './give-back.ts';
import { SlicePreparation, type SliceTools } from './prepare-slice.ts';
import { SliceRun } from './run-slice.ts';

/** Share of a layer's input with which a slice goes on. */
export interface ResumedShare {
  readonly layer: number;
  readonly share: Uint32Array<ArrayBuffer>;
}

/** Leave to begin a slice. */
export interface SliceGrant {
  /** By which the slice can be resumed. */
  readonly ticket: Uint8Array;
  readonly resumed?: ResumedShare | undefined;
}

/** What a client asks for when it opens a slice. */
export interface SliceQuestion extends SliceOpening {
  readonly slice: number;
  /** Of each layer; of a resumed slice fewer layers will run. */
  readonly activations: readonly number[];
}

/** What a session tells whoever drives it. */
export interface SessionEvents {
  send(message: Uint8Array<ArrayBuffer>): void;
  /** Answered with {@link HostSession.grant}, now or later. */
  sliceAsked(question: SliceQuestion): void;
  /** The first message with its image came. */
  sliceStarted(slice: number): void;
  /** The host's share of a layer's input, for resumption. */
  layerReached(slice: number, resumed: ResumedShare): void;
  /** The client has the result. */
  sliceFinished(slice: number): void;
}

/** What a session is made of. */
export interface HostSessionParts {
  readonly context: Omit<EvaluationContext, 'layer'>;
  readonly kernel: TwoPartyKernel;
  readonly random: RandomSource;
  /** Encryptions of zero under the client's key; closed by whoever made it. The key need not be checked at once. */
  readonly openZeros: (session: Uint8Array, publicKey: Uint8Array) => ZeroSource;
  /** Slices that may be open at once. */
  readonly slices: number;
  readonly fieldBits?: FieldBits;
}

interface OpenSlice {
  readonly number: number;
  readonly layout: SliceLayout;
  readonly asked: SliceOpening;
  /** The grant's. */
  share?: Uint32Array | undefined;
  preparation?: SlicePreparation | undefined;
  run?: SliceRun | undefined;
}

/**
 * The host's side of a session of private mode, without I/O: the exchange that sdk/src/private-session/message.ts
 * describes. Whatever is not expected throws and ends it.
 */
export class HostSession {
  readonly #parts: HostSessionParts;
  readonly #events: SessionEvents;
  readonly #handshake: HostHandshake;
  readonly #reader: PrivateReader;
  readonly #writer: PrivateWriter;
  /** Pieces of the handshake that came, of two; then the key. */
  #greeted = 0;
  #twoParty: TwoPartySession | undefined;
  #tools: SliceTools | undefined;
  readonly #slices: OpenSlice[] = [];
  #lastSlice = 0;
  #ended = false;

  /** Sends the host's first message. */
  constructor(parts: HostSessionParts, events: SessionEvents) {
    this.#parts = parts;
    this.#events = events;
    const { random, kernel, fieldBits } = parts;
    this.#handshake = new HostHandshake({ random, kernel, ...(fieldBits ? { fieldBits } : {}) });
    const { hello } = this.#handshake;
    const { session } = readHeader(hello);
    this.#reader = new PrivateReader(session);
    this.#writer = new PrivateWriter(session);
    this.#send({ kind: 'handshake', slice: 0, layer: 0, piece: 0 }, hello);
  }

  /** Ciphertexts that the host has yet to answer with, for slices that are open. */
  get repliesLeft(): number {
    return this.#slices.reduce((sum, { preparation }) => sum + (preparation?.repliesLeft ?? 0), 0);
  }

  /**
   * Checks the client's next message as it comes.
   * @throws TWO_PARTY_*: the session is over, and has dropped everything
   */
  read(bytes: Uint8Array<ArrayBuffer>): PrivateMessage {
    return this.#guarded(() => this.#reader.read(bytes));
  }

  /**
   * Does what a message asks for. Messages of one slice before its image have to keep their order, and so have those
   * with its image.
   * @throws TWO_PARTY_*, FRAME_*, PUBLIC_KEY_*, REQUEST_INVALID: the session is over, and has dropped everything
   */
  take(message: PrivateMessage): void {
    this.#guarded(() => {
      this.#take(message);
    });
  }

  /** Begins a slice that {@link SessionEvents.sliceAsked} told of. */
  grant(number: number, { ticket, resumed }: SliceGrant): void {
    this.#guarded(() => {
      const slice = this.#slices.find((open) => open.number === number);
      const tools = this.#tools;
      if (!slice || !tools || slice.preparation || slice.run)
        throw new DenoiseError('INTERNAL', { slice: number, reason: 'no grant is waited for' });
      const firstLayer = resumed?.layer ?? 0;
      slice.share = resumed?.share;
      slice.preparation = new SlicePreparation(tools, number, slice.layout.layers.slice(firstLayer));
      this.#send({ kind: 'opened', slice: number, layer: 0, piece: 0 }, encodeOpened({ firstLayer, ticket }));
      slice.preparation.start();
    });
  }

  /** Ends the session and wipes what it holds. */
  drop(): void {
    if (this.#ended) return;
    this.#ended = true;
    for (const slice of this.#slices.splice(0)) dropSlice(slice);
    this.#twoParty?.close();
  }

  #guarded<Result>(work: () => Result): Result {
    if (this.#ended) throw new DenoiseError('TWO_PARTY_SPENT', { session: true });
    try {
      return work();
    } catch (error) {
      this.drop();
      throw error;
    }
  }

  /** Uses the payload up. */
  #send(address: PrivateAddress, payload: Uint8Array): void {
    this.#events.send(this.#writer.write(address, payload));
    giveBack(payload);
  }

  #take(message: PrivateMessage): void {
    switch (message.kind) {
      case 'handshake':
      case 'publicKey':
        this.#greet(message);
        return;
      case 'open':
        this.#open(message);
        return;
      case 'frame':
        this.#preparing(message).frame(message);
        return;
      case 'corrections':
        this.#preparing(message).corrections(message);
        return;
      case 'input':
        this.#running(message).input(message);
        return;
      case 'activation':
        this.#running(message).activation(message);
        return;
      case 'finished':
        this.#finish(message);
        return;
      case 'opened':
      case 'answer':
      case 'result':
        throw unexpected(message);
    }
  }

  /** Handshake 1 and 3, then the public key. */
  #greet(message: PrivateMessage): void {
    const { kind, slice, layer, piece, payload } = message;
    const expected = (['handshake', 'handshake', 'publicKey'] as const)[this.#greeted];
    const expectedPiece = expected === 'handshake' ? 2 * this.#greeted + 1 : 0;
    if (kind !== expected || piece !== expectedPiece || slice !== 0 || layer !== 0) throw unexpected(message);
    this.#greeted++;
    if (kind === 'publicKey') {
      const session = this.#twoParty as TwoPartySession;
      const { context, random } = this.#parts;
      this.#tools = {
        context,
        session,
        sources: { zeros: this.#parts.openZeros(session.id, payload), random },
        send: (address, bytes) => this.#send(address, bytes),
      };
      return;
    }
    const { send, result } = this.#handshake.receive(payload);
    this.#twoParty = result;
    if (send) this.#send({ kind: 'handshake', slice: 0, layer: 0, piece: piece + 1 }, send);
  }

  #open(message: PrivateMessage): void {
    const { slice: number, layer, piece, payload } = message;
    const last = this.#slices.at(-1);
    const ready = !last || last.run !== undefined || last.preparation?.done === true;
    if (!this.#tools || number !== this.#lastSlice + 1 || layer !== 0 || piece !== 0 || !ready)
      throw unexpected(message);
    if (this.#slices.length >= this.#parts.slices)
      throw new DenoiseError('TWO_PARTY_ORDER', { slices: this.#slices.length, most: this.#parts.slices });
    const asked = decodeOpen(payload);
    const layout = layoutOf(this.#parts.context.network.plan, asked);
    this.#lastSlice = number;
    this.#slices.push({ number, layout, asked });
    const activations = layout.layers.map(({ outputCount }) => outputCount);
    this.#events.sliceAsked({ ...asked, slice: number, activations });
  }

  #preparing(message: PrivateMessage): SlicePreparation {
    const last = this.#slices.at(-1);
    if (last?.number !== message.slice || !last.preparation) throw unexpected(message);
    return last.preparation;
  }

  #running(message: PrivateMessage): SliceRun {
    const [first] = this.#slices;
    if (first?.number !== message.slice) throw unexpected(message);
    if (first.run) return first.run;
    const { number, preparation, share } = first;
    if (!preparation) throw unexpected(message);
    const prepared = preparation.take();
    first.run = new SliceRun(
      {
        network: this.#parts.context.network,
        send: (address, bytes) => this.#send(address, bytes),
        layerReached: (layer, reached) => this.#events.layerReached(number, { layer, share: reached }),
      },
      number,
      prepared,
      share,
    );
    first.preparation = undefined;
    this.#events.sliceStarted(number);
    return first.run;
  }

  #finish(message: PrivateMessage): void {
    const [first] = this.#slices;
    if (first?.number !== message.slice || first.run?.done !== true) throw unexpected(message);
    checkLength(message.payload, 0);
    this.#slices.shift();
    dropSlice(first);
    this.#events.sliceFinished(first.number);
  }
}

function dropSlice({ preparation, run, share }: OpenSlice): void {
  preparation?.drop();
  run?.drop();
  share?.fill(0);
}

/** The size is the client's word, so a plan that cannot take it is the client's fault. */
function layoutOf(plan: Parameters<typeof sliceLayout>[0], size: SliceOpening): SliceLayout {
  try {
    return sliceLayout(plan, size);
  } catch (cause) {
    if (!(cause instanceof DenoiseError)) throw cause;
    throw new DenoiseError('REQUEST_INVALID', { height: size.height, width: size.width }, { cause });
  }
}

const unexpected = ({ kind, slice, layer, piece }: PrivateMessage): DenoiseError =>
  new DenoiseError('TWO_PARTY_ORDER', { kind, slice, layer, piece });
