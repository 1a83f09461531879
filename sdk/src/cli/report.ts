import type { SliceStatistics } from '@cipherdose/sdk';
import type { DenoiseError, ErrorCode } from '@cipherdose/sdk/errors';
import { count, formatBytes } from './format.ts';

export interface Failure {
  readonly file: string;
  readonly code: ErrorCode;
  readonly message: string;
}

/** What became of every file of a job. */
export class JobReport {
  readonly #started = performance.now();
  readonly #outputs = new Map<string, string>();
  readonly #failures = new Map<string, Failure>();
  #seconds = 0;
  #bytesUp = 0;
  #bytesDown = 0;

  done(file: string, output: string, statistics: SliceStatistics): void {
    this.#outputs.set(file, output);
    this.#bytesUp += statistics.bytesUp;
    this.#bytesDown += statistics.bytesDown;
  }

  fail(file: string, { code, message }: DenoiseError): void {
    this.#failures.set(file, { file, code, message });
  }

  /** The job has ended: the clock stops. */
  finish(): void {
    this.#seconds = (performance.now() - this.#started) / 1000;
  }

  has(file: string): boolean {
    return this.#outputs.has(file) || this.#failures.has(file);
  }

  /** Derived files by source file. */
  get outputs(): ReadonlyMap<string, string> {
    return this.#outputs;
  }

  get failures(): readonly Failure[] {
    return [...this.#failures.values()];
  }

  /** Wall-clock time of the job, from the first file read to the last file written, for each slice that is done. */
  get secondsPerSlice(): number {
    return this.#perSlice(this.#seconds);
  }

  /** Mean bytes of a slice that is done. */
  get bytesUp(): number {
    return Math.round(this.#perSlice(this.#bytesUp));
  }

  get bytesDown(): number {
    return Math.round(this.#perSlice(this.#bytesDown));
  }

  #perSlice = (total: number): number => (this.#outputs.size === 0 ? 0 : total / this.#outputs.size);

  /** Lines for people. */
  lines(out: string): string[] {
    const done = this.#outputs.size;
    return [
      ...this.failures.map(({ file, code, message }) => `failed  ${file}: ${code}: ${message}`),
      ...(done === 0 ? [] : [this.#summary(done, out)]),
      ...(this.#failures.size === 0 ? [] : [`${count(this.#failures.size, 'file')} failed`]),
    ];
  }

  #summary(done: number, out: string): string {
    const cost = `${this.secondsPerSlice.toFixed(2)} s`;
    const traffic = `${formatBytes(this.bytesUp)} up and ${formatBytes(this.bytesDown)} down`;
    return `${count(done, 'slice')} denoised into ${out}; ${cost}, ${traffic} a slice`;
  }
}
