import { randomBytes } from 'node:crypto';
import { DenoiseError } from '@cipherdose/sdk/errors';

/** Milliseconds of a clock that only goes forward. */
export type Clock = () => number;

/** Tickets for sessions: each good once, for a short time, in this process. */
export class SessionTickets<Leave> {
  readonly #seconds: number;
  readonly #most: number;
  readonly #now: Clock;
  /** Oldest first. */
  readonly #held = new Map<string, { readonly leave: Leave; readonly until: number }>();

  constructor({
    seconds,
    most,
    now,
  }: {
    readonly seconds: number;
    readonly most: number;
    readonly now: Clock;
  }) {
    this.#seconds = seconds;
    this.#most = most;
    this.#now = now;
  }

  /** Tickets that nobody has used. */
  get held(): number {
    this.#forgetExpired();
    return this.#held.size;
  }

  /** @returns a ticket. @throws HOST_BUSY where too many wait to be used */
  give(leave: Leave): string {
    if (this.held >= this.#most)
      throw new DenoiseError('HOST_BUSY', { tickets: this.#most, retryAfterSeconds: this.#seconds });
    const ticket = randomBytes(32).toString('base64url');
    this.#held.set(ticket, { leave, until: this.#now() + 1000 * this.#seconds });
    return ticket;
  }

  /** Uses a ticket up. @throws TICKET_INVALID */
  use(ticket: string | undefined): Leave {
    this.#forgetExpired();
    const found = ticket === undefined ? undefined : this.#held.get(ticket);
    if (ticket === undefined || !found) throw new DenoiseError('TICKET_INVALID');
    this.#held.delete(ticket);
    return found.leave;
  }

  #forgetExpired(): void {
    for (const [ticket, { until }] of this.#held) {
      if (until > this.#now()) return;
      this.#held.delete(ticket);
    }
  }
}
