/** Parts of a session that are paid at different times. */
export type Phase = 'handshake' | 'offline' | 'online';

/** Bytes of whole messages, headers included. */
export interface PhaseBytes {
  readonly sent: number;
  readonly received: number;
}

/** What a session has cost so far. */
export class Counters {
  readonly #bytes = {
    handshake: { sent: 0, received: 0 },
    offline: { sent: 0, received: 0 },
    online: { sent: 0, received: 0 },
  };
  #prepared = 0;
  #finished = 0;

  bytes(phase: Phase): PhaseBytes {
    return { ...this.#bytes[phase] };
  }

  /** Activations for which correlations were prepared. */
  get prepared(): number {
    return this.#prepared;
  }

  /** Activations whose shares came out. */
  get finished(): number {
    return this.#finished;
  }

  countSent(phase: Phase, bytes: number): void {
    this.#bytes[phase].sent += bytes;
  }

  countReceived(phase: Phase, bytes: number): void {
    this.#bytes[phase].received += bytes;
  }

  countPrepared(activations: number): void {
    this.#prepared += activations;
  }

  countFinished(activations: number): void {
    this.#finished += activations;
  }
}
