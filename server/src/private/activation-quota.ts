import { DenoiseError } from '@cipherdose/sdk/errors';
import type { Clock } from './session-tickets.ts';

/** Most activations of one caller in a span of time. */
export interface QuotaLimits {
  readonly activations: number;
  readonly perSeconds: number;
}

/** Counts what callers use, in spans that begin with a caller's first use. */
export class ActivationQuota {
  readonly #limits: QuotaLimits;
  readonly #now: Clock;
  readonly #used = new Map<string, { activations: number; readonly until: number }>();

  constructor(limits: QuotaLimits, now: Clock) {
    this.#limits = limits;
    this.#now = now;
  }

  /** @throws QUOTA_EXCEEDED with the seconds to wait; nothing is counted then */
  charge(caller: string, activations: number): void {
    const now = this.#now();
    for (const [known, { until }] of this.#used) if (until <= now) this.#used.delete(known);
    const span = this.#used.get(caller) ?? {
      activations: 0,
      until: now + 1000 * this.#limits.perSeconds,
    };
    if (span.activations + activations > this.#limits.activations)
      throw new DenoiseError('QUOTA_EXCEEDED', {
        activations: this.#limits.activations,
        perSeconds: this.#limits.perSeconds,
        retryAfterSeconds: Math.ceil((span.until - now) / 1000),
      });
    span.activations += activations;
    this.#used.set(caller, span);
  }
}
