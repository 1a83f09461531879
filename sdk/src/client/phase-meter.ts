import type { PhaseStatistics, SliceStatistics } from './types.ts';

interface Phase {
  seconds: number;
  bytesUp: number;
  bytesDown: number;
}

/** What one slice takes in private mode, over all its attempts. */
export class PhaseMeter {
  readonly #started = performance.now();
  #runs: number | undefined;
  readonly #offline: Phase = { seconds: 0, bytesUp: 0, bytesDown: 0 };
  readonly #online: Phase = { seconds: 0, bytesUp: 0, bytesDown: 0 };

  count(part: 'offline' | 'online', bytesUp: number, bytesDown: number): void {
    const phase = part === 'offline' ? this.#offline : this.#online;
    phase.bytesUp += bytesUp;
    phase.bytesDown += bytesDown;
  }

  /** All that does not need the image is there. */
  prepared(): void {
    this.#offline.seconds = secondsSince(this.#started);
  }

  /** The image is there. */
  online(): void {
    this.#runs = performance.now();
  }

  finish(rounds: number): SliceStatistics {
    this.#online.seconds = secondsSince(this.#runs ?? this.#started);
    const phases: { offline: PhaseStatistics; online: PhaseStatistics } = {
      offline: this.#offline,
      online: this.#online,
    };
    return {
      seconds: secondsSince(this.#started),
      bytesUp: this.#offline.bytesUp + this.#online.bytesUp,
      bytesDown: this.#offline.bytesDown + this.#online.bytesDown,
      rounds,
      phases,
    };
  }
}

const secondsSince = (started: number): number => (performance.now() - started) / 1000;
