import { DenoiseError, isErrorCode } from '../errors/index.ts';

/** Close code and reason of a WebSocket. */
export interface CloseReason {
  readonly code: number;
  readonly reason: string;
}

/** The client is done. */
export const closeDone: CloseReason = { code: 1000, reason: '' };

const firstCode = 4000;
const goingAway = 1001;

/** How a session ends with an error. Errors that are not for the wire become INTERNAL. */
export function closeReasonOf(error: DenoiseError): CloseReason {
  const known = error.status === 0 ? new DenoiseError('INTERNAL') : error;
  const seconds = known.details['retryAfterSeconds'];
  const code = known.code === 'HOST_CLOSING' ? goingAway : firstCode + known.status;
  return { code, reason: typeof seconds === 'number' ? `${known.code} ${String(seconds)}` : known.code };
}

/** @returns what the other side closed a session for, if it had not ended; a broken connection is HOST_UNREACHABLE */
export function errorOfClose({ code, reason }: CloseReason): DenoiseError {
  const [name, seconds] = reason.split(' ');
  if (isErrorCode(name)) {
    const retryAfterSeconds = Number(seconds);
    return new DenoiseError(name, retryAfterSeconds > 0 ? { retryAfterSeconds } : {});
  }
  return new DenoiseError(code === goingAway ? 'HOST_CLOSING' : 'HOST_UNREACHABLE', { closeCode: code });
}
