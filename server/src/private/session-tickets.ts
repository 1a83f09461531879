import { randomBytes } from 'node:crypto';
import { DenoiseError } from '@cipherdose/sdk/errors';

/** Milliseconds of a clock that only goes forward. */
export type Clock = () => number;

/** How long tickets are good for, and how many may wait to be used. */
export interface TicketLimits {
  readonly seconds: number;
  readonly most: number;
  /** Of one caller: nobody shall take all. */
  readonly mostOfCaller: number;
  readonly now: Clock;
}

/** Tickets for sessions: each good once, for a short time, in this process. */
export class SessionTickets<Leave extends { readonly caller: string }> {
  readonly #limits: TicketLimits;
  /** Oldest first. */
  readonly #held = new Map<string, { readonly leave: Leave; readonly until: number }>();

  constructor(limits: TicketLimits) {
    this.#limits = limits;
  }

  /** Tickets that nobody has used. */
  get held(): number {
    this.#forgetExpired();
    return this.#held.size;
  }

  /** @returns a ticket. @throws HOST_BUSY where too many wait to be used */
  give(leave: Leave): string {
    const { most, mostOfCaller, seconds, now } = this.#limits;
    const held = this.held;
    const own = [...this.#held.values()].filter((other) => other.leave.caller === leave.caller);
    if (held >= most || own.length >= mostOfCaller)
      throw new DenoiseError('HOST_BUSY', { tickets: held, retryAfterSeconds: seconds });
    const ticket = randomBytes(32).toString('base64url');
    this.#held.set(ticket, { leave, until: now() + 1000 * seconds });
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
      if (until > this.#limits.now()) return;
      this.#held.delete(ticket);
    }
  }
}
