import { DenoiseError } from '@cipherdose/sdk/errors';
import type {
  FromRunWorker,
  Logins,
  NextSlice,
  RunProgress,
  RunSettings,
  ToRunWorker,
} from '../run-worker/messages.ts';
import type { DenoisedSeries, DenoisedSlice } from './denoised-series.ts';
import { nearestSlice } from './slice-order.ts';

export interface RunOptions {
  readonly series: DenoisedSeries;
  /** Slices to do; those that are done are left out. */
  readonly indices: readonly number[];
  /** The slice on screen, asked before each slice. */
  readonly focus: () => number;
  readonly logins: () => Logins;
  readonly settings: Omit<RunSettings, 'mode' | 'digest' | 'rows' | 'columns' | 'expectedSlices' | 'logins'>;
  readonly signal: AbortSignal;
  readonly onSlice: (index: number) => void;
  readonly onProgress: (progress: RunProgress) => void;
  /** Starts the worker of the run. */
  readonly startWorker: () => Worker;
}

/**
 * Denoises slices of a series in a worker, always the nearest to the one on screen next, and puts the results into it.
 * A slice that cannot be read is marked as failed and the others go on.
 * @returns the first failure of a slice, if any
 * @throws CANCELLED, and what ends a run: failures of the host, the archive or the workers
 */
export async function runDenoise(options: RunOptions): Promise<DenoiseError | undefined> {
  const { series, signal } = options;
  if (signal.aborted) throw new DenoiseError('CANCELLED');
  const waiting = new Set(options.indices.filter((index) => series.slices[index]?.state !== 'done'));
  for (const index of waiting) change(series, index, 'waiting');
  const failures: DenoiseError[] = [];
  const ended = Promise.withResolvers<void>();
  const { model, mode, rows, columns } = series;
  const worker = options.startWorker();
  const post = (message: ToRunWorker): void => worker.postMessage(message);

  function takeNext(): NextSlice | undefined {
    const index = nearestSlice(waiting, options.focus());
    if (index === undefined) return undefined;
    waiting.delete(index);
    return { index, address: change(series, index, 'running').address };
  }

  function receive(message: FromRunWorker): void {
    switch (message.kind) {
      case 'want':
        return post({ kind: 'next', next: takeNext(), logins: options.logins() });
      case 'progress':
        return options.onProgress(message);
      case 'slice': {
        const slice = change(series, message.index, 'done');
        slice.source = message.source;
        slice.denoised = message.denoised;
        return options.onSlice(message.index);
      }
      case 'failed': {
        const error = DenoiseError.deserialise(message.error);
        change(series, message.index, 'failed').error = error;
        failures.push(error);
        return options.onSlice(message.index);
      }
      case 'end':
        return message.error ? ended.reject(DenoiseError.deserialise(message.error)) : ended.resolve();
    }
  }

  worker.onmessage = ({ data }: MessageEvent<FromRunWorker>) => receive(data);
  worker.onerror = () => ended.reject(new DenoiseError('WORKER_FAILED'));
  const stop = (): void => ended.reject(new DenoiseError('CANCELLED'));
  signal.addEventListener('abort', stop, { once: true });
  const id = { mode, digest: model.digest };
  const expectedSlices = waiting.size;
  post({
    kind: 'start',
    settings: { ...options.settings, ...id, rows, columns, expectedSlices, logins: options.logins() },
  });
  try {
    await ended.promise;
    return failures[0];
  } finally {
    signal.removeEventListener('abort', stop);
    worker.onmessage = null;
    worker.terminate();
    for (const slice of series.slices) if (slice.state === 'running') slice.state = 'waiting';
  }
}

function change(series: DenoisedSeries, index: number, state: DenoisedSlice['state']): DenoisedSlice {
  const slice = series.slices[index] as DenoisedSlice;
  slice.state = state;
  delete slice.error;
  return slice;
}
