import type { DenoisePhase, DenoiseProgress } from '@cipherdose/sdk';

export type Stage = 'read' | 'encrypt' | 'evaluate' | 'decrypt';

/**
 * Seconds that slices spent in each stage, added up. Stages of several slices and tiles overlap, so their sum is more
 * than the time that passed: the shares are what counts.
 */
export class StageClock {
  readonly seconds: Record<Stage, number> = { read: 0, encrypt: 0, evaluate: 0, decrypt: 0 };
  readonly #since = new Map<number, { readonly phase: DenoisePhase; readonly at: number }>();
  readonly #now: () => number;

  /** @param now milliseconds */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  add(stage: Stage, milliseconds: number): void {
    this.seconds[stage] += milliseconds / 1000;
  }

  /** The time since the last step of a slice belongs to the phase that the slice was in. */
  step({ slice, phase }: Pick<DenoiseProgress, 'slice' | 'phase'>): void {
    const at = this.#now();
    const last = this.#since.get(slice);
    if (last && last.phase !== 'prepare' && last.phase !== 'done') this.add(last.phase, at - last.at);
    if (phase === 'done') this.#since.delete(slice);
    else this.#since.set(slice, { phase, at });
  }
}
