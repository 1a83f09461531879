import { DenoiseError } from '../errors/index.ts';
import type { SealCipher } from '../he/index.ts';
import type { HuImage } from '../image/index.ts';
import type { CheckedPlan, ValueSize } from '../plan/index.ts';
import {
  decodeOpened,
  encodeOpen,
  PrivateWriter,
  sliceLayout,
  type PrivateAddress,
  type PrivateMessage,
  type SliceLayout,
} from '../private-session/index.ts';
import {
  ClientHandshake,
  readHeader,
  type RandomSource,
  type TwoPartyKernel,
  type TwoPartySession,
} from '../two-party/index.ts';
import type { OutgoingMessage, PrivateEvent } from './private-jobs.ts';
import { PrivatePreparation } from './private-preparation.ts';
import { PrivateRun, type LayerShares } from './private-run.ts';

/** What is left of a slice whose session broke off. */
export interface KeptSlice {
  /** Of the host. */
  readonly ticket: Uint8Array;
  /** Empty: the slice begins anew. */
  readonly shares: LayerShares;
}

/** What a session is made of. */
export interface PrivateSessionParts {
  readonly plan: CheckedPlan;
  /** With a key of this session alone; whoever made it disposes of it. */
  readonly cipher: SealCipher;
  readonly kernel: TwoPartyKernel;
  readonly random: RandomSource;
}

/** What a session tells whoever drives it. */
export interface PrivateSessionEvents {
  send(message: OutgoingMessage): void;
  tell(event: PrivateEvent): void;
}

interface OpenSlice {
  readonly number: number;
  readonly layout: SliceLayout;
  readonly resumed: KeptSlice | undefined;
  ticket?: Uint8Array;
  firstLayer: number;
  preparation?: PrivatePreparation | undefined;
  prepared?: boolean;
  run?: PrivateRun | undefined;
}

/**
 * The client's side of a session of private mode, without I/O: the exchange that sdk/src/private-session/message.ts
 * describes. Messages were checked to be the session's, each once and in order. Whatever else is not expected throws and
 * ends it.
 */
export class PrivateSession {
  readonly #parts: PrivateSessionParts;
  readonly #events: PrivateSessionEvents;
  readonly #handshake: ClientHandshake;
  #greeted = 0;
  #writer: PrivateWriter | undefined;
  #twoParty: TwoPartySession | undefined;
  readonly #slices: OpenSlice[] = [];
  #lastSlice = 0;
  #ended = false;

  constructor(parts: PrivateSessionParts, events: PrivateSessionEvents) {
    this.#parts = parts;
    this.#events = events;
    this.#handshake = new ClientHandshake({ random: parts.random, kernel: parts.kernel });
  }

  /** @throws TWO_PARTY_*, FRAME_*: the session is over, and has dropped everything but what {@link kept} gives */
  receive(message: PrivateMessage): void {
    this.#guarded(() => this.#take(message));
  }

  /**
   * Opens the next slice, when the one before is prepared.
   * @param resumed what a session before kept of it
   * @throws PLAN_*, TWO_PARTY_ORDER
   */
  open(number: number, { height, width }: ValueSize, resumed?: KeptSlice): void {
    this.#guarded(() => {
      const last = this.#slices.at(-1);
      if (!this.#twoParty || number !== this.#lastSlice + 1 || (last && !last.prepared))
        throw new DenoiseError('TWO_PARTY_ORDER', { slice: number });
      const layout = sliceLayout(this.#parts.plan, { height, width });
      this.#lastSlice = number;
      this.#slices.push({ number, layout, resumed, firstLayer: 0 });
      const opening = encodeOpen({ height, width, resume: resumed?.ticket });
      this.#send({ kind: 'open', slice: number, layer: 0, piece: 0 }, opening);
    });
  }

  /** Begins with the image of the first slice that is open. @throws PLAN_*, TWO_PARTY_ORDER */
  run(number: number, image: HuImage): void {
    this.#guarded(() => {
      const [first] = this.#slices;
      const { preparation, resumed, firstLayer } = first ?? {};
      if (first?.number !== number || !preparation || !first.prepared)
        throw new DenoiseError('TWO_PARTY_ORDER', { slice: number });
      const share = resumed?.shares.get(firstLayer ?? 0);
      const tools = {
        plan: this.#parts.plan,
        send: this.#send,
        progress: (layer: number, units: number) =>
          this.#events.tell({ kind: 'progress', part: 'online', slice: number, layer, units }),
      };
      first.run = new PrivateRun(tools, number, preparation.take(), image, share);
      first.preparation = undefined;
      wipeKept(resumed);
    });
  }

  /** A copy of what a later session needs to go on with the slice that runs, or was to be resumed. */
  get kept(): KeptSlice | undefined {
    const [first] = this.#slices;
    const ticket = first?.ticket ?? first?.resumed?.ticket;
    const shares = first?.run?.shares() ?? copyOf(first?.resumed?.shares);
    return ticket && shares && { ticket, shares };
  }

  /** Wipes all secrets and correlations. */
  drop(): void {
    this.#ended = true;
    for (const { preparation, run, resumed } of this.#slices) {
      preparation?.drop();
      run?.drop();
      wipeKept(resumed);
    }
    this.#slices.length = 0;
    this.#twoParty?.close();
  }

  #guarded(step: () => void): void {
    if (this.#ended) throw new DenoiseError('TWO_PARTY_SPENT', { session: true });
    try {
      step();
    } catch (error) {
      this.#ended = true;
      throw error;
    }
  }

  readonly #send = (address: PrivateAddress, payload: Uint8Array): void => {
    if (!this.#writer) throw new DenoiseError('TWO_PARTY_ORDER', { kind: address.kind });
    const { kind, slice } = address;
    this.#events.send({ kind, slice, bytes: this.#writer.write(address, payload) });
  };

  #take(message: PrivateMessage): void {
    switch (message.kind) {
      case 'handshake':
        this.#greet(message);
        return;
      case 'opened':
        this.#begin(message);
        return;
      case 'frame':
        this.#prepare(message, (preparation) => preparation.frame(message));
        return;
      case 'corrections':
        this.#prepare(message, (preparation) => preparation.corrections(message));
        return;
      case 'answer':
        this.#running(message).answer(message);
        return;
      case 'activation':
        this.#running(message).activation(message);
        return;
      case 'result':
        this.#finish(message);
        return;
      case 'publicKey':
      case 'open':
      case 'input':
      case 'finished':
        throw unexpected(message);
    }
  }

  #greet(message: PrivateMessage): void {
    const { slice, layer, piece, payload } = message;
    if (this.#twoParty || slice !== 0 || layer !== 0 || piece !== 2 * this.#greeted)
      throw unexpected(message);
    this.#writer ??= new PrivateWriter(readHeader(payload).session);
    this.#greeted++;
    const { send, result } = this.#handshake.receive(payload);
    if (send) this.#send({ kind: 'handshake', slice: 0, layer: 0, piece: piece + 1 }, send);
    if (!result) return;
    this.#twoParty = result;
    const { cipher } = this.#parts;
    this.#send({ kind: 'publicKey', slice: 0, layer: 0, piece: 0 }, cipher.publicKey(result.id));
    this.#events.tell({ kind: 'ready' });
  }

  #begin(message: PrivateMessage): void {
    const last = this.#slices.at(-1);
    const session = this.#twoParty;
    if (!session || last?.number !== message.slice || last.preparation || last.ticket)
      throw unexpected(message);
    const { firstLayer, ticket } = decodeOpened(message.payload);
    if (firstLayer >= last.layout.layers.length || (firstLayer > 0 && !last.resumed?.shares.has(firstLayer)))
      throw new DenoiseError('TWO_PARTY_ORDER', { slice: last.number, firstLayer });
    last.ticket = ticket;
    last.firstLayer = firstLayer;
    const { cipher, random, plan } = this.#parts;
    const tools = {
      cipher,
      session,
      random,
      send: this.#send,
      digest: plan.digest,
      progress: (layer: number, units: number) =>
        this.#events.tell({ kind: 'progress', part: 'offline', slice: last.number, layer, units }),
    };
    last.preparation = new PrivatePreparation(tools, last.number, last.layout.layers.slice(firstLayer));
    last.preparation.start();
  }

  #prepare(message: PrivateMessage, step: (preparation: PrivatePreparation) => void): void {
    const last = this.#slices.at(-1);
    if (last?.number !== message.slice || !last.preparation) throw unexpected(message);
    step(last.preparation);
    if (!last.preparation.done || last.prepared) return;
    last.prepared = true;
    this.#events.tell({ kind: 'prepared', slice: last.number });
  }

  #running(message: PrivateMessage): PrivateRun {
    const [first] = this.#slices;
    if (first?.number !== message.slice || !first.run) throw unexpected(message);
    return first.run;
  }

  #finish(message: PrivateMessage): void {
    const run = this.#running(message);
    run.result(message);
    const { image, rounds } = run;
    if (!image) return;
    run.drop();
    this.#slices.shift();
    const { slice } = message;
    this.#send({ kind: 'finished', slice, layer: 0, piece: 0 }, new Uint8Array());
    this.#events.tell({ kind: 'finished', slice, image, rounds });
  }
}

const copyOf = (shares: LayerShares | undefined): LayerShares | undefined =>
  shares && new Map([...shares].map(([layer, share]) => [layer, share.slice()]));

/** Forgets what was kept of a slice. */
export function wipeKept(kept: KeptSlice | undefined): void {
  for (const share of kept?.shares.values() ?? []) share.fill(0);
}

const unexpected = ({ kind, slice, layer, piece }: PrivateMessage): DenoiseError =>
  new DenoiseError('TWO_PARTY_ORDER', { kind, slice, layer, piece });
