import type { HostSettings, Logins, ToRunWorker } from '../run-worker/messages.ts';

/**
 * The worker of a run, started ahead of the click, so that the first slice does not wait until scripts are loaded and
 * keys are made. It serves one run; there is none after that until it is prepared again.
 */
export class ReadyWorker {
  readonly #start: () => Worker;
  #ready: { readonly worker: Worker; readonly purpose: string } | undefined;

  constructor(start: () => Worker) {
    this.#start = start;
  }

  /** Starts a worker for runs with these settings, unless there is one. */
  prepare(settings: HostSettings, logins: Logins): void {
    const purpose = purposeOf(settings);
    if (this.#ready?.purpose === purpose) return;
    this.end();
    const worker = this.#start();
    this.#ready = { worker, purpose };
    worker.postMessage({ kind: 'prepare', settings, logins } satisfies ToRunWorker);
  }

  /** A worker for one run: the prepared one if it is for the same settings. The caller ends it. */
  take(settings: HostSettings): Worker {
    const ready = this.#ready;
    if (ready?.purpose !== purposeOf(settings)) {
      this.end();
      return this.#start();
    }
    this.#ready = undefined;
    return ready.worker;
  }

  /** Frees its keys and memory. */
  end(): void {
    this.#ready?.worker.terminate();
    this.#ready = undefined;
  }
}

const purposeOf = ({ serverUrl, model, workers }: HostSettings): string =>
  JSON.stringify([serverUrl, model, workers]);
