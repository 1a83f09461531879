import pRetry from 'p-retry';
import { DenoiseError } from '../errors/index.ts';

export interface RetryOptions {
  /** Attempts in all, the first included. */
  readonly attempts: number;
  readonly signal?: AbortSignal;
}

const firstWaitMs = 250;
const longestWaitMs = 15_000;

/**
 * Runs `attempt` until it succeeds, fails for good, or the attempts are used up. Waits grow by two with jitter, and
 * are at least what the host asked for.
 * @throws the last DenoiseError, or CANCELLED
 */
export async function retry<T>(attempt: () => Promise<T>, options: RetryOptions): Promise<T> {
  const { attempts, signal } = options;
  try {
    return await pRetry(attempt, {
      retries: attempts - 1,
      minTimeout: firstWaitMs,
      maxTimeout: longestWaitMs,
      randomize: true,
      ...(signal ? { signal } : {}),
      shouldRetry: ({ error }) => error instanceof DenoiseError && error.retryable && !signal?.aborted,
      onFailedAttempt: async ({ error, retriesLeft }) => {
        const seconds = error instanceof DenoiseError ? error.details['retryAfterSeconds'] : undefined;
        if (retriesLeft > 0 && typeof seconds === 'number')
          await pause(Math.min(seconds * 1000, longestWaitMs), signal);
      },
    });
  } catch (error) {
    if (signal?.aborted) throw new DenoiseError('CANCELLED', {}, { cause: error });
    throw DenoiseError.wrap(error, 'INTERNAL');
  }
}

/** Waits before the attempt that follows `failures` of them: as {@link retry} does between attempts. */
export function waitAfter(failures: number, error: DenoiseError, signal: AbortSignal): Promise<void> {
  const seconds = error.details['retryAfterSeconds'];
  const growing = firstWaitMs * 2 ** (failures - 1) * (1 + Math.random());
  const least = typeof seconds === 'number' ? 1000 * seconds : 0;
  return pause(Math.min(Math.max(growing, least), longestWaitMs), signal);
}

function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, milliseconds);
    signal?.addEventListener('abort', done, { once: true });
    function done(): void {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    }
  });
}
