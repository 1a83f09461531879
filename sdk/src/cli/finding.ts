import { DenoiseError } from '@cipherdose/sdk/errors';

/** What one check of `cipherdose doctor` found. */
export interface Finding {
  readonly name: string;
  /** A warning is worth knowing but hinders nothing. */
  readonly status: 'ok' | 'warning' | 'failed' | 'skipped';
  readonly detail: string;
}

/** The finding of a check, or that it failed with what it threw. */
export async function find(name: string, check: () => Finding | Promise<Finding>): Promise<Finding> {
  try {
    return await check();
  } catch (error) {
    const { code, message } = DenoiseError.wrap(error, 'UNEXPECTED', { reason: String(error) });
    return { name, status: 'failed', detail: `${code}: ${message}` };
  }
}
