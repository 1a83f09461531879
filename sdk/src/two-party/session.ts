import { DenoiseError } from '../errors/index.ts';
import type { Counters } from './counters.ts';
import type { TransferReceiver, TransferSender } from './oblivious-transfer.ts';
import type { RandomSource } from './random-source.ts';
import type { TwoPartyKernel } from './two-party-kernel.ts';

/** The client owns the image, the host the weights. */
export type Role = 'client' | 'host';

/** What both sides have after the handshake. */
export interface SessionFacts {
  readonly role: Role;
  readonly id: Uint8Array;
  readonly kernel: TwoPartyKernel;
  readonly random: RandomSource;
  readonly counters: Counters;
  readonly sender: TransferSender;
  readonly receiver: TransferReceiver;
}

const lastSerial = 0xffffffff;

/** A handshake that both sides finished: OTs in both directions, and the numbers of the pieces of work. */
export class TwoPartySession {
  readonly role: Role;
  readonly id: Uint8Array;
  readonly kernel: TwoPartyKernel;
  readonly random: RandomSource;
  readonly counters: Counters;
  readonly sender: TransferSender;
  readonly receiver: TransferReceiver;
  #serial = 0;
  #closed = false;

  constructor(facts: SessionFacts) {
    this.role = facts.role;
    this.id = facts.id;
    this.kernel = facts.kernel;
    this.random = facts.random;
    this.counters = facts.counters;
    this.sender = facts.sender;
    this.receiver = facts.receiver;
  }

  /**
   * The number of the next piece of work: never the same twice, because it is part of every tweak.
   * @throws TWO_PARTY_SPENT where the session is closed or has no number left
   */
  takeSerial(): number {
    if (this.#closed || this.#serial === lastSerial)
      throw new DenoiseError('TWO_PARTY_SPENT', { session: true });
    return ++this.#serial;
  }

  /** Wipes the seeds; nothing more can be prepared. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.sender.close();
    this.receiver.close();
  }
}
