/** Does something again and again, one run after the other; a failed run is told and the next one comes. */
export class Loop {
  readonly #everyMs: number;
  readonly #task: () => Promise<void>;
  readonly #onError: (error: unknown) => void;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #again = false;
  #stopped = false;

  constructor(everySeconds: number, task: () => Promise<void>, onError: (error: unknown) => void) {
    this.#everyMs = everySeconds * 1000;
    this.#task = task;
    this.#onError = onError;
  }

  /** Runs now, or once more right after the run that is under way. */
  wake(): void {
    if (this.#stopped) return;
    if (this.#running) {
      this.#again = true;
      return;
    }
    clearTimeout(this.#timer);
    this.#running = this.#task()
      .catch(this.#onError)
      .finally(() => {
        this.#running = undefined;
        if (this.#stopped) return;
        this.#timer = setTimeout(() => this.wake(), this.#again ? 0 : this.#everyMs);
        this.#again = false;
      });
  }

  /** Resolves when the run that is under way has ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#running;
  }
}
