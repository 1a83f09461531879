import { DenoiseError } from '../errors/index.ts';
import type { Counters, Phase } from './counters.ts';
import { openMessage, startMessage, type MessageKind } from './message.ts';

/** What came of one message: something to send, the result, or both. */
export interface Step<Result> {
  readonly send?: Uint8Array;
  readonly result?: Result;
}

/** A message that a machine waits for, and what it does with it. */
export interface Turn<Result> {
  readonly kind: MessageKind;
  readonly payloadBytes: number;
  take(payload: Uint8Array): Step<Result>;
}

/** Where the messages of a machine belong. */
export interface Conversation {
  readonly session: Uint8Array;
  readonly serial: number;
  readonly phase: Phase;
  readonly counters: Counters;
}

/**
 * One side of a piece of the protocol, without I/O: messages in, messages out. Every message is taken once, in its
 * turn. Any other one ends the machine and drops what it holds, because answering a step twice on the same correlations
 * would tell the difference of secrets.
 */
export class Machine<Result> {
  readonly #conversation: Conversation;
  readonly #turns: readonly Turn<Result>[];
  readonly #release: () => void;
  #next = 0;
  #ended = false;

  /** @param release gives back what the machine holds; called once, at the end or when it is dropped */
  constructor(conversation: Conversation, turns: readonly Turn<Result>[], release: () => void) {
    this.#conversation = conversation;
    this.#turns = turns;
    this.#release = release;
  }

  /** Whether it waits for no message any more. */
  get ended(): boolean {
    return this.#ended;
  }

  /**
   * Takes the next message.
   * @throws TWO_PARTY_SPENT where the machine has ended; TWO_PARTY_FOREIGN, TWO_PARTY_REPLAYED, TWO_PARTY_ORDER,
   *   TWO_PARTY_LENGTH, TWO_PARTY_TOO_LARGE and what the contents are refused with: all of them end it
   */
  receive(message: Uint8Array): Step<Result> {
    const turn = this.#turns[this.#next];
    if (this.#ended || !turn) throw new DenoiseError('TWO_PARTY_SPENT', { step: this.#next });
    const { session, serial, phase, counters } = this.#conversation;
    this.#next++;
    try {
      const { kind, payloadBytes } = turn;
      const payload = openMessage(message, { kind, payloadBytes, session, serial });
      counters.countReceived(phase, message.length);
      const step = turn.take(payload);
      if (this.#next === this.#turns.length) this.drop();
      return step;
    } catch (error) {
      this.drop();
      throw error;
    }
  }

  /** Ends the machine and wipes what it holds: on request, and where the other side is gone. */
  drop(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#release();
  }
}

/** One side of a piece of the protocol, driven by the machine that its constructor sets up. */
export abstract class Side<Result> {
  protected abstract readonly machine: Machine<Result>;

  /** Takes the other side's next message. @throws as {@link Machine.receive}, and what its contents are refused with */
  receive(message: Uint8Array): Step<Result> {
    return this.machine.receive(message);
  }

  /** Gives up: ends the machine and wipes what it holds. */
  drop(): void {
    this.machine.drop();
  }
}

/** Makes a message of a conversation and counts it. */
export const writeMessage = (
  conversation: Conversation,
  kind: MessageKind,
  payload: Uint8Array,
): Uint8Array => fillMessage(conversation, kind, payload.length, (target) => target.set(payload));

/** The same for a payload that is written in its place. */
export function fillMessage(
  { session, serial, phase, counters }: Conversation,
  kind: MessageKind,
  payloadBytes: number,
  fill: (payload: Uint8Array) => void,
): Uint8Array {
  const { message, payload } = startMessage(kind, session, serial, payloadBytes);
  fill(payload);
  counters.countSent(phase, message.length);
  return message;
}
