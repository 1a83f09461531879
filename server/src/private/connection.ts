import { DenoiseError } from '@cipherdose/sdk/errors';
import { closeReasonOf, type CloseReason } from '@cipherdose/sdk/private-session';
import { giveBack } from './give-back.ts';
import type { SliceQuestion } from './host-session.ts';
import type { Resumable } from './resumptions.ts';
import type { SessionThread } from './session-thread.ts';
import type { FromThread } from './thread-messages.ts';

/** What a session needs of its WebSocket. */
export interface PrivateSocket {
  /** Bytes that wait to be sent. */
  readonly bufferedAmount: number;
  send(bytes: Uint8Array<ArrayBuffer>, sent: () => void): void;
  close(code: number, reason: string): void;
  /** Ends it without a word. */
  terminate(): void;
  pause(): void;
  resume(): void;
}

/** What became of a session; nothing in it tells what the image was. */
export interface SessionFacts {
  readonly code: string;
  readonly slices: number;
  readonly activations: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly seconds: number;
}

export interface ConnectionOptions {
  readonly socket: PrivateSocket;
  readonly thread: SessionThread;
  readonly modelDirectory: string;
  readonly digest: string;
  /** Slices that may be open at once. */
  readonly slices: number;
  readonly idleMs: number;
  /** Bytes that may wait for the thread or for the client before nothing more is read. */
  readonly mostWaitingBytes: number;
  /** How long a socket that was closed may take to close. */
  readonly lingerMs?: number;
  /** Gives leave for a slice. @throws QUOTA_EXCEEDED, SLICE_TOO_LARGE */
  readonly openSlice: (question: SliceQuestion, superseded: () => void) => Resumable;
  /** Called once. @param cause of INTERNAL, for the log */
  readonly ended: (facts: SessionFacts, cause: string | undefined) => void;
}

/** Ends after which a client may go on with a slice in another session. */
const resumable = new Set(['ABORTED', 'SESSION_IDLE', 'INTERNAL']);

/** One session between its socket and its thread: hands messages on, holds the client back, ends what says nothing. */
export class PrivateConnection {
  readonly #options: ConnectionOptions;
  readonly #start = performance.now();
  readonly #open = new Map<number, Resumable>();
  /** The slice whose image is there. */
  #running: number | undefined;
  #waitingBytes = 0;
  #paused = false;
  #closing = false;
  #broken = false;
  #ended = false;
  #timer: NodeJS.Timeout | undefined;
  #facts = { slices: 0, activations: 0, bytesIn: 0, bytesOut: 0 };

  constructor(options: ConnectionOptions) {
    this.#options = options;
    const { thread, modelDirectory, digest, slices } = options;
    thread.listen((message) => this.#hear(message));
    thread.post({ kind: 'start', modelDirectory, digest, slices });
    this.#waitForClient();
  }

  /** A binary message of the client, in a buffer of its own. */
  receive(bytes: Uint8Array<ArrayBuffer>): void {
    if (this.#ended) return;
    this.#facts.bytesIn += bytes.length;
    this.#waitingBytes += bytes.length;
    this.#waitForClient();
    this.#options.thread.post({ kind: 'message', bytes });
    this.#holdBack();
  }

  /** The socket broke, or the client gave up. What came before is still dealt with: it may end a layer. */
  disconnected(): void {
    if (this.#ended || this.#broken) return;
    this.#broken = true;
    if (this.#waitingBytes === 0) this.#end('ABORTED');
    else setTimeout(() => this.#end('ABORTED'), this.#options.idleMs).unref();
  }

  /** Ends the session. */
  fail(error: DenoiseError, cause?: string): void {
    if (this.#ended) return;
    this.#close(closeReasonOf(error));
    this.#end(error.code, cause);
  }

  /** The client is done. */
  done(): void {
    this.#end('OK');
  }

  /** The host shuts down: a slice that runs may end, the next one may not begin. */
  finishUp(): void {
    this.#closing = true;
    if (this.#running === undefined) this.fail(new DenoiseError('HOST_CLOSING'));
  }

  #hear(message: FromThread): void {
    if (this.#ended) return;
    switch (message.kind) {
      case 'send':
        if (this.#broken) return;
        this.#facts.bytesOut += message.bytes.length;
        this.#options.socket.send(message.bytes, () => {
          giveBack(message.bytes);
          this.#holdBack();
        });
        this.#holdBack();
        return;
      case 'taken':
        this.#waitingBytes -= message.bytes;
        if (this.#broken && this.#waitingBytes === 0) {
          this.#end('ABORTED');
          return;
        }
        this.#waitForClient();
        this.#holdBack();
        return;
      case 'asked':
        this.#openSlice(message.question);
        return;
      case 'started':
        this.#running = message.slice;
        return;
      case 'reached':
        this.#open.get(message.slice)?.reached(message.resumed);
        return;
      case 'finished':
        this.#open.get(message.slice)?.finished();
        this.#open.delete(message.slice);
        this.#running = undefined;
        this.#facts.slices++;
        if (this.#closing) this.fail(new DenoiseError('HOST_CLOSING'));
        return;
      case 'failed':
        this.fail(DenoiseError.deserialise(message.error), message.stack);
    }
  }

  #openSlice(question: SliceQuestion): void {
    // While the host shuts down nothing is granted: the session ends with the slice that runs.
    if (this.#closing) return;
    try {
      const opened = this.#options.openSlice(question, () => this.fail(new DenoiseError('TWO_PARTY_SPENT')));
      this.#open.set(question.slice, opened);
      const { grant } = opened;
      const layers = question.activations.slice(grant.resumed?.layer ?? 0);
      this.#facts.activations += layers.reduce((sum, count) => sum + count, 0);
      this.#options.thread.post({ kind: 'grant', slice: question.slice, grant });
    } catch (error) {
      this.fail(DenoiseError.wrap(error, 'INTERNAL'), error instanceof Error ? error.stack : undefined);
    }
  }

  /** Nothing more is read while too much waits for the thread, or for the client to fetch it. */
  #holdBack(): void {
    if (this.#ended) return;
    const { socket, mostWaitingBytes } = this.#options;
    const waiting = this.#waitingBytes + socket.bufferedAmount;
    if (waiting > mostWaitingBytes === this.#paused) return;
    this.#paused = !this.#paused;
    if (this.#paused) socket.pause();
    else socket.resume();
  }

  #waitForClient(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      if (this.#waitingBytes > 0) this.#waitForClient();
      else this.fail(new DenoiseError('SESSION_IDLE'));
    }, this.#options.idleMs).unref();
  }

  #close({ code, reason }: CloseReason): void {
    const { socket, lingerMs = 2000 } = this.#options;
    if (this.#paused) socket.resume();
    socket.close(code, reason);
    setTimeout(() => socket.terminate(), lingerMs).unref();
  }

  #end(code: string, cause?: string): void {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#timer);
    for (const slice of this.#open.values()) {
      if (resumable.has(code)) slice.broken();
      else slice.finished();
    }
    this.#open.clear();
    void this.#options.thread.stop();
    const seconds = (performance.now() - this.#start) / 1000;
    this.#options.ended({ code, ...this.#facts, seconds }, cause);
  }
}
