import { DenoiseError, type ErrorCode } from '@cipherdose/sdk/errors';

/** Failures that end by themselves when the network, the host or the archive is back. */
const passing: ReadonlySet<ErrorCode> = new Set([
  'HOST_UNREACHABLE',
  'HOST_TIMEOUT',
  'HOST_CLOSING',
  'HOST_BUSY',
  'RATE_LIMITED',
  'SESSION_IDLE',
  'ARCHIVE_UNREACHABLE',
]);

/** Whether a run that failed so can go on by itself later. */
export const isPassing = (error: unknown): error is DenoiseError =>
  error instanceof DenoiseError && (passing.has(error.code) || isGatewayFailure(error));

/** A proxy answers, and says that the host behind it does not. */
export const isGatewayFailure = ({ code, details }: DenoiseError): boolean =>
  code === 'HOST_RESPONSE' && [502, 503, 504].includes(Number(details['status']));

export interface WaitOptions {
  /** Asks once whether it is back. @throws while it is not */
  readonly probe: () => Promise<unknown>;
  readonly signal: AbortSignal;
  /** Waits so many milliseconds, or until the browser says that there is a network again. */
  readonly pause?: (milliseconds: number, signal: AbortSignal) => Promise<void>;
}

const waitsMs = [1000, 2000, 4000, 8000, 15_000];
const mostTries = 60;

/**
 * Asks again and again, at growing distances and for about a quarter of an hour.
 * @returns whether it is back
 * @throws CANCELLED, and what the probe throws that is not passing
 */
export async function waitForReturn({ probe, signal, pause = pauseOrOnline }: WaitOptions): Promise<boolean> {
  for (let tries = 0; tries < mostTries; tries++) {
    await pause(waitsMs[Math.min(tries, waitsMs.length - 1)] as number, signal);
    if (signal.aborted) throw new DenoiseError('CANCELLED');
    try {
      await probe();
      return true;
    } catch (error) {
      if (signal.aborted) throw new DenoiseError('CANCELLED');
      if (!isPassing(error)) throw error;
    }
  }
  return false;
}

/**
 * Tries again whenever what it failed by has passed.
 * @param told hears why a try failed while it waits, and undefined when the next one begins
 * @throws what does not pass, or did not in time
 */
export async function throughInterruptions<T>(
  attempt: () => Promise<T>,
  probe: () => Promise<unknown>,
  signal: AbortSignal,
  told: (waitingFor: DenoiseError | undefined) => void,
): Promise<T> {
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!isPassing(error)) throw error;
      told(error);
      if (!(await waitForReturn({ probe, signal }))) throw error;
      told(undefined);
    }
  }
}

function pauseOrOnline(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const own = new AbortController();
    const timer = setTimeout(end, milliseconds);
    function end(): void {
      clearTimeout(timer);
      own.abort();
      resolve();
    }
    addEventListener('online', end, { signal: own.signal });
    signal.addEventListener('abort', end, { signal: own.signal });
  });
}
