import { randomBytes } from 'node:crypto';
import { resumptionTicketBytes } from '@cipherdose/sdk/private-session';
import type { ResumedShare, SliceGrant } from './host-session.ts';
import type { Clock } from './session-tickets.ts';

/** For whom and what a slice can be resumed. */
export interface SliceIdentity {
  readonly caller: string;
  readonly digest: string;
  readonly height: number;
  readonly width: number;
}

/** How long shares are kept, and how many bytes of them. */
export interface ResumptionLimits {
  readonly seconds: number;
  readonly mostBytes: number;
  readonly now: Clock;
}

/** One slice that could be resumed, as its session sees it. */
export interface Resumable {
  readonly grant: SliceGrant;
  /** Replaces the share that is kept; the old one is wiped. */
  reached(resumed: ResumedShare): void;
  /** The slice is done, or must not go on: nothing of it stays. */
  finished(): void;
  /** The session broke off: the share stays for a while. */
  broken(): void;
}

interface Kept {
  readonly identity: SliceIdentity;
  readonly superseded: () => void;
  resumed: ResumedShare | undefined;
  /** Undefined while its session lives. */
  until: number | undefined;
}

/**
 * The host's shares of slices, by tickets that are good once. A share is uniform: by itself it tells nothing. It is kept
 * while its session lives and for a while after, and wiped then.
 */
export class Resumptions {
  readonly #limits: ResumptionLimits;
  readonly #kept = new Map<string, Kept>();
  #bytes = 0;

  constructor(limits: ResumptionLimits) {
    this.#limits = limits;
  }

  /** Bytes of shares that are kept. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Begins a slice, with the share of an earlier ticket if that is known and fits.
   * @param superseded told if somebody resumes the slice while its session seems to live
   */
  begin(identity: SliceIdentity, resume: Uint8Array | undefined, superseded: () => void): Resumable {
    const resumed = resume && this.#take(identity, nameOf(resume));
    const ticket = randomBytes(resumptionTicketBytes);
    const name = nameOf(ticket);
    const kept: Kept = { identity, superseded, resumed: undefined, until: undefined };
    this.#kept.set(name, kept);
    const replace = (next: ResumedShare | undefined): void => {
      if (this.#kept.get(name) !== kept) {
        next?.share.fill(0);
        return;
      }
      this.#replace(kept, next);
    };
    if (resumed) replace(copyOf(resumed));
    return {
      grant: { ticket, resumed },
      reached: replace,
      finished: () => this.#forget(name),
      broken: () => {
        if (kept.resumed) kept.until = this.#limits.now() + 1000 * this.#limits.seconds;
        else this.#forget(name);
        this.forgetExpired();
      },
    };
  }

  /** Wipes what nobody came back for. */
  forgetExpired(): void {
    const now = this.#limits.now();
    for (const [name, { until }] of this.#kept)
      if (until !== undefined && (until <= now || this.#bytes > this.#limits.mostBytes)) this.#forget(name);
  }

  /** Wipes everything. */
  clear(): void {
    for (const name of this.#kept.keys()) this.#forget(name);
  }

  #take(identity: SliceIdentity, name: string): ResumedShare | undefined {
    this.forgetExpired();
    const kept = this.#kept.get(name);
    if (!kept || !sameSlice(kept.identity, identity)) return undefined;
    const resumed = kept.resumed && copyOf(kept.resumed);
    this.#forget(name);
    if (kept.until === undefined) kept.superseded();
    return resumed;
  }

  #forget(name: string): void {
    const kept = this.#kept.get(name);
    if (!kept) return;
    this.#replace(kept, undefined);
    this.#kept.delete(name);
  }

  #replace(kept: Kept, next: ResumedShare | undefined): void {
    this.#bytes += (next?.share.byteLength ?? 0) - (kept.resumed?.share.byteLength ?? 0);
    kept.resumed?.share.fill(0);
    kept.resumed = next;
  }
}

const nameOf = (ticket: Uint8Array): string => Buffer.from(ticket).toString('base64url');

const copyOf = ({ layer, share }: ResumedShare): ResumedShare => ({ layer, share: share.slice() });

const sameSlice = (a: SliceIdentity, b: SliceIdentity): boolean =>
  a.caller === b.caller && a.digest === b.digest && a.height === b.height && a.width === b.width;
