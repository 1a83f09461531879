import { DenoiseError, type ErrorCode } from '@cipherdose/sdk/errors';

/** @returns code and details of the DenoiseError that `work` throws. @throws whatever else it throws, or Error if nothing. */
export function denoiseErrorOf(work: () => unknown): { code: ErrorCode } & Record<string, unknown> {
  try {
    work();
  } catch (error) {
    if (error instanceof DenoiseError) return { ...error.details, code: error.code };
    throw error;
  }
  throw new Error('nothing was thrown');
}
