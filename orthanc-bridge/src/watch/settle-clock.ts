import type { OrthancSeries } from '../orthanc/answers.ts';

/**
 * Tells when a series has stopped growing. Orthanc's IsStable alone is not enough: after a restart it calls every series
 * stable, also one that is still being sent. Uses a clock that never goes back.
 */
export class SettleClock {
  readonly #settleMs: number;
  readonly #clock: () => number;
  readonly #seen = new Map<string, { readonly instances: number; readonly since: number }>();

  /** @param clock milliseconds that only grow */
  constructor(settleMs: number, clock: () => number) {
    this.#settleMs = settleMs;
    this.#clock = clock;
  }

  hasSettled({ ID, IsStable, Instances }: Pick<OrthancSeries, 'ID' | 'IsStable' | 'Instances'>): boolean {
    const known = this.#seen.get(ID);
    const now = this.#clock();
    if (known?.instances !== Instances.length)
      this.#seen.set(ID, { instances: Instances.length, since: now });
    const since = known?.instances === Instances.length ? known.since : now;
    return IsStable && now - since >= this.#settleMs;
  }

  /** Forgets all other series. */
  keepOnly(ids: readonly string[]): void {
    const kept = new Set(ids);
    for (const id of this.#seen.keys()) if (!kept.has(id)) this.#seen.delete(id);
  }
}
