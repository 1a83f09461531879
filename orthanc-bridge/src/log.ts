import { pino, type Logger } from 'pino';
import { DenoiseError } from '@cipherdose/sdk/errors';

/** Structured lines on standard output. Facts only: job ids, Orthanc ids, codes, counts; no patient data, no DICOM UIDs. */
export type Log = Pick<Logger, 'debug' | 'info' | 'warn' | 'error' | 'fatal'>;

export const createLog = (level: string, name: string): Logger => pino({ level, base: { bridge: name } });

/** What a log line may say about an error: our own codes and details, never a foreign message. */
export function errorFacts(error: unknown): Readonly<Record<string, unknown>> {
  if (error instanceof DenoiseError) return { code: error.code, details: error.details };
  return { code: 'INTERNAL', name: error instanceof Error ? error.name : typeof error };
}
