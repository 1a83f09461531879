import type { ResultView, RunReport, RunView } from '../application-state.ts';
import type { DenoisedSeries } from '../run/denoised-series.ts';
import type { Stage } from '../run/stage-clock.ts';
import type { RunProgress } from '../run-worker/messages.ts';

/** What is seen of a run that may take several attempts: work that an interrupted one did still counts. */
export class RunMeter {
  readonly #series: DenoisedSeries;
  readonly #indices: readonly number[];
  readonly #started = performance.now();
  #view: RunView;
  #before = { done: 0, bytesUp: 0, bytesDown: 0 };
  #stages: Readonly<Record<Stage, number>> = { read: 0, encrypt: 0, evaluate: 0, decrypt: 0 };

  constructor({ series }: ResultView, indices: readonly number[]) {
    this.#series = series;
    this.#indices = indices;
    this.#view = {
      ...{ series, phase: 'prepare', slicesDone: 0, slices: indices.length, part: 0 },
      ...{ secondsLeft: undefined, bytesUp: 0, bytesDown: 0 },
    };
  }

  get view(): RunView {
    return this.#view;
  }

  nextAttempt(): void {
    const { bytesUp, bytesDown } = this.#view;
    this.#before = { done: this.#done(), bytesUp, bytesDown };
  }

  progress({ progress, stages }: RunProgress): RunView {
    const { phase, tiles, tilesDone, secondsLeft, bytesUp, bytesDown } = progress;
    const { done, bytesUp: up, bytesDown: down } = this.#before;
    const slices = this.#indices.length;
    const part = (done + (slices - done) * (tiles === 0 ? 0 : tilesDone / tiles)) / slices;
    this.#stages = stages;
    return (this.#view = {
      ...{ series: this.#series, phase, secondsLeft, slices, part, slicesDone: this.#done() },
      ...{ bytesUp: up + bytesUp, bytesDown: down + bytesDown },
    });
  }

  /** @param waiting for what is gone, or about to begin again */
  pause(waiting: boolean): RunView {
    const phase = waiting ? 'offline' : 'prepare';
    const part = this.#done() / this.#indices.length;
    return (this.#view = { ...this.#view, phase, part, secondsLeft: undefined });
  }

  report(): RunReport {
    const { bytesUp, bytesDown } = this.#view;
    const seconds = (performance.now() - this.#started) / 1000;
    return { slices: this.#done(), seconds, bytesUp, bytesDown, stages: this.#stages };
  }

  #done(): number {
    return this.#indices.filter((index) => this.#series.slices[index]?.state === 'done').length;
  }
}
