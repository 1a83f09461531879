import { expect } from '@jest/globals';
import type { ErrorCode } from '@cipherdose/sdk/errors';

/** For `toThrow`: any DenoiseError with this code. */
export const refusal = (code: ErrorCode): Error => expect.objectContaining({ code }) as unknown as Error;
