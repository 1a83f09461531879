import { fileURLToPath } from 'node:url';
import { availableParallelism } from 'node:os';
import { Piscina } from 'piscina';
import { DenoiseError } from '@cipherdose/sdk/errors';
import { readCtSlice, type CtSlice } from '@cipherdose/sdk/dicom';
import type { DecodeAnswer } from './decode-task.ts';
import { needsDecoding } from '@cipherdose/sdk/pixels';

/** Threads are started when the first compressed slice comes, and end when none came for a while. */
const mostThreads = 4;

/** Reads CT slices in every transfer syntax that can be decoded exactly. */
export class SliceReader {
  readonly #pool = new Piscina<Uint8Array, DecodeAnswer>({
    filename: fileURLToPath(new URL('./decode-worker.js', import.meta.url)),
    minThreads: 0,
    maxThreads: Math.min(mostThreads, availableParallelism()),
    idleTimeout: 30_000,
  });

  /** @throws the DICOM_* codes, WORKER_FAILED, CANCELLED */
  async read(bytes: Uint8Array, signal?: AbortSignal): Promise<CtSlice> {
    if (!needsDecoding(bytes)) return readCtSlice(bytes);
    const answer = await this.#pool.run(bytes, signal ? { signal } : {}).catch((cause: unknown) => {
      throw new DenoiseError(signal?.aborted ? 'CANCELLED' : 'WORKER_FAILED', {}, { cause });
    });
    if (!answer.ok) throw DenoiseError.deserialise(answer.error);
    return readCtSlice(answer.bytes);
  }

  async close(): Promise<void> {
    await this.#pool.destroy();
  }
}
