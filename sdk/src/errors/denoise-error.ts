import { errorTable, isErrorCode, type ErrorCode } from './error-table.ts';

/** Facts about a failure. Never pixels, keys, names or UIDs of patients. */
export type ErrorDetails = Readonly<Record<string, unknown>>;

/** The plain form of an error, as it crosses a thread or the wire. */
export interface SerialisedError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly details: ErrorDetails;
}

/** The one error type of CipherDose: a stable code and data; one table decides status and retry. */
export class DenoiseError extends Error {
  override readonly name = 'DenoiseError';
  readonly code: ErrorCode;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, details: ErrorDetails = {}, options?: { cause?: unknown }) {
    super(describe(code, details), options);
    this.code = code;
    this.details = details;
  }

  get retryable(): boolean {
    return errorTable[this.code].retryable;
  }

  get status(): number {
    return errorTable[this.code].status;
  }

  /** Plain data that survives a message between threads. */
  serialise(): SerialisedError {
    return { code: this.code, message: this.message, details: this.details };
  }

  /** The inverse of {@link serialise}; a code that this version does not know becomes HOST_RESPONSE. */
  static deserialise(plain: { code: string; details?: ErrorDetails }): DenoiseError {
    if (isErrorCode(plain.code)) return new DenoiseError(plain.code, plain.details ?? {});
    return new DenoiseError('HOST_RESPONSE', { unknownCode: plain.code });
  }

  /** @returns the error itself if it is one of ours, else one with `code` that keeps it as its cause. */
  static wrap(error: unknown, code: ErrorCode, details: ErrorDetails = {}): DenoiseError {
    return error instanceof DenoiseError ? error : new DenoiseError(code, details, { cause: error });
  }
}

function describe(code: ErrorCode, details: ErrorDetails): string {
  const facts = Object.entries(details).map(([name, value]) => `${name}: ${String(value)}`);
  const message = errorTable[code].message;
  return facts.length === 0 ? message : `${message} (${facts.join(', ')})`;
}
