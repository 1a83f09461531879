import { DenoiseError } from '../errors/index.ts';
import type { HuImage } from '../image/index.ts';
import type { CheckedPlan } from '../plan/index.ts';
import { PrivateReader, type PrivateKind, type PrivateTicket } from '../private-session/index.ts';
import type { PrivateChannel, Transport } from '../transport/index.ts';
import type { HeWorker, PrivateEvent, PrivateStep } from '../worker/index.ts';

/** The part of {@link Transport} that private mode needs. */
export type PrivateTransport = Required<Pick<Transport, 'privateTicket' | 'openPrivate'>>;

/** What a session tells. */
export type LinkEvent =
  | PrivateEvent
  /** Of a slice, or of the session where `slice` is 0. */
  | {
      readonly kind: 'traffic';
      readonly part: 'offline' | 'online';
      readonly slice: number;
      readonly bytesUp: number;
      readonly bytesDown: number;
    }
  /** The last event: the session is over, and the worker has dropped it. */
  | { readonly kind: 'over'; readonly error: DenoiseError };

export interface PrivateLinkOptions {
  readonly transport: PrivateTransport;
  readonly plan: CheckedPlan;
  /** Holds the secrets of the run. */
  readonly worker: HeWorker;
  /** Number of the run in that worker. */
  readonly run: number;
  /** Longest wait for the host while something is awaited from it, milliseconds. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly tell: (event: LinkEvent) => void;
}

/** Nothing more is given to the worker while more than this waits to be sent. */
const mostBufferedBytes = 8 * 2 ** 20;
const drainPollMs = 5;
/** A host that sends more than this before it is its turn does not keep to the protocol. */
const mostWaitingBytes = 128 * 2 ** 20;

/** What can be done with the image goes before what prepares the next slice. */
const priorities = { online: 0, offline: 1 } as const;

/** One session of private mode between its channel and the worker: hands messages on, holds back, ends what hangs. */
export class PrivateLink {
  readonly #options: PrivateLinkOptions;
  readonly #reader = new PrivateReader();
  #ticket: PrivateTicket | undefined;
  #channel: PrivateChannel | undefined;
  #jobs = 0;
  #waitingBytes = 0;
  /** Steps that wait for the channel to drain; undefined: it is not full. */
  #held: (() => void)[] | undefined;
  #awaiting = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #over = false;
  /** What still waits when the session is over is not done. */
  readonly #ended = new AbortController();
  readonly #signal: AbortSignal;

  constructor(options: PrivateLinkOptions) {
    this.#options = options;
    this.#signal = AbortSignal.any([options.signal, this.#ended.signal]);
  }

  /** Asks for a ticket and connects; everything else is told as an event. */
  async connect(): Promise<void> {
    const { transport, plan } = this.#options;
    const signal = this.#signal;
    try {
      this.#ticket = await transport.privateTicket({ model: plan.id, digest: plan.digest }, signal);
      if (this.#over) return;
      this.awaitHost(true);
      this.#step({ kind: 'start', plan }, priorities.offline);
      const channel = await transport.openPrivate(
        this.#ticket,
        { message: (message) => this.#receive(message), closed: (error) => this.#end(error) },
        signal,
      );
      if (this.#over) channel.close(false);
      this.#channel = channel;
    } catch (error) {
      this.#end(DenoiseError.wrap(error, 'INTERNAL'));
    }
  }

  /** Slices that may be open at once; 1 until the host has said. */
  get slices(): number {
    return this.#ticket?.slices ?? 1;
  }

  get over(): boolean {
    return this.#over;
  }

  /** Prepares a slice. @param resume the one that broke off */
  open(slice: number, { height, width }: HuImage, resume: boolean): void {
    this.#step({ kind: 'open', slice, height, width, resume }, priorities.offline);
  }

  /** Begins a slice that is prepared. */
  run(slice: number, image: HuImage): void {
    this.#step({ kind: 'run', slice, image }, priorities.online);
  }

  /** Whether something is awaited from the host, so that it must not be silent for long. */
  awaitHost(awaiting: boolean): void {
    this.#awaiting = awaiting;
    this.#watch();
  }

  /** Ends the session. @param done the host may forget it; otherwise it keeps what can be resumed */
  close(done: boolean): void {
    this.#shut(done);
    // Whoever stops the workers has freed everything already.
    this.#options.worker.run<'private'>(this.#job({ kind: 'end' }), { priority: 0 }).catch(() => undefined);
  }

  #receive(bytes: Uint8Array<ArrayBuffer>): void {
    if (this.#over) return;
    try {
      const message = this.#reader.read(bytes);
      const part = partOf(message.kind);
      const { slice } = message;
      this.#options.tell({ kind: 'traffic', part, slice, bytesUp: 0, bytesDown: bytes.length });
      const { length } = bytes;
      this.#waitingBytes += length;
      if (this.#waitingBytes > mostWaitingBytes)
        throw new DenoiseError('TWO_PARTY_TOO_LARGE', { bytes: this.#waitingBytes, limit: mostWaitingBytes });
      this.#step({ kind: 'message', message }, priorities[part], () => (this.#waitingBytes -= length));
    } catch (error) {
      this.#end(DenoiseError.wrap(error, 'INTERNAL'));
    }
  }

  #step(step: PrivateStep, priority: number, taken?: () => void): void {
    if (this.#over) return;
    const go = (): void => void this.#work(step, priority, taken);
    if (this.#held) this.#held.push(go);
    else go();
  }

  async #work(step: PrivateStep, priority: number, taken?: () => void): Promise<void> {
    const { worker, tell } = this.#options;
    const signal = this.#signal;
    this.#jobs++;
    this.#watch();
    try {
      const { messages, events } = await worker.run<'private'>(this.#job(step), { priority, signal });
      this.#jobs--;
      taken?.();
      if (this.#over) return;
      for (const { kind, slice, bytes } of messages) {
        tell({ kind: 'traffic', part: partOf(kind), slice, bytesUp: bytes.length, bytesDown: 0 });
        this.#channel?.send(bytes);
      }
      this.#holdBack();
      for (const event of events) tell(event);
      this.#watch();
    } catch (error) {
      this.#end(DenoiseError.wrap(error, 'INTERNAL'));
    }
  }

  #job(step: PrivateStep) {
    const { plan, run } = this.#options;
    return { kind: 'private', set: plan.parameterSet, run, step } as const;
  }

  #holdBack(): void {
    if (this.#held || this.#bufferedBytes() <= mostBufferedBytes) return;
    this.#held = [];
    // A WebSocket does not say when it has drained.
    const poll = setInterval(() => {
      if (!this.#over && this.#bufferedBytes() > mostBufferedBytes) return;
      clearInterval(poll);
      const held = this.#held ?? [];
      this.#held = undefined;
      if (!this.#over) for (const go of held) go();
    }, drainPollMs);
  }

  #bufferedBytes(): number {
    return this.#channel?.bufferedBytes ?? 0;
  }

  #watch(): void {
    clearTimeout(this.#timer);
    if (!this.#awaiting || this.#jobs > 0 || this.#over) return;
    const { timeoutMs } = this.#options;
    const late = (): void => this.#end(new DenoiseError('HOST_TIMEOUT', { milliseconds: timeoutMs }));
    this.#timer = setTimeout(late, timeoutMs);
  }

  #end(error: DenoiseError): void {
    if (this.#over) return;
    this.#shut(false);
    const { worker, tell } = this.#options;
    // Before everything else the worker is asked to do: nothing of the session may be used again.
    worker
      .run<'private'>(this.#job({ kind: 'break' }), { priority: -1 })
      .catch(() => undefined)
      .finally(() => tell({ kind: 'over', error }));
  }

  #shut(done: boolean): void {
    this.#over = true;
    clearTimeout(this.#timer);
    this.#channel?.close(done);
    this.#ended.abort();
  }
}

const onlineKinds: ReadonlySet<PrivateKind> = new Set<PrivateKind>([
  'input',
  'answer',
  'activation',
  'result',
  'finished',
]);

const partOf = (kind: PrivateKind): 'offline' | 'online' => (onlineKinds.has(kind) ? 'online' : 'offline');
