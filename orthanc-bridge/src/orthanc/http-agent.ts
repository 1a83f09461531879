import { readFile } from 'node:fs/promises';
import { Agent } from 'undici';
import { DenoiseError } from '@cipherdose/sdk/errors';

export interface AgentOptions {
  /** PEM certificates to trust instead of the system's. */
  readonly caFile?: string | undefined;
  /** Longest wait for the headers, and between two pieces of a body. */
  readonly timeoutSeconds: number;
}

/** Connections of one peer. @throws FILE_UNREADABLE */
export async function httpAgent({ caFile, timeoutSeconds }: AgentOptions): Promise<Agent> {
  const ca =
    caFile === undefined
      ? undefined
      : await readFile(caFile, 'utf8').catch((cause: unknown) => {
          throw new DenoiseError('FILE_UNREADABLE', { file: caFile }, { cause });
        });
  const timeout = timeoutSeconds * 1000;
  return new Agent({
    headersTimeout: timeout,
    bodyTimeout: timeout,
    connect: { timeout: Math.min(timeout, 10_000), ...(ca === undefined ? {} : { ca }) },
  });
}
