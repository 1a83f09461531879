import { DenoiseError } from '@cipherdose/sdk/errors';
import { Piscina } from 'piscina';
import type { Evaluation } from '../model-source.ts';
import type { EvaluationAnswer, EvaluationWorkerData } from './evaluation-task.ts';
import { threadLimits } from './thread-limits.ts';

/** Size and limits of an {@link EvaluatorPool}. */
export interface EvaluatorPoolOptions {
  /** Worker threads; each evaluates one frame at a time. */
  readonly threads: number;
  /** Frames that may wait for a thread. */
  readonly maxQueue: number;
  /** Most bytes of prepared weights that one thread keeps. */
  readonly weightCacheBytes?: number;
  /** Module of the worker threads, if it is not the one that loads models from disk. */
  readonly workerUrl?: URL;
}

const defaultWeightCacheBytes = 160 * 2 ** 20;

/**
 * Evaluates frames on worker threads, which start with the first: private mode has its own. Frames and replies are
 * transferred, not copied.
 */
export class EvaluatorPool {
  readonly #start: () => Piscina<Evaluation, EvaluationAnswer>;
  readonly #most: number;
  #pool: Piscina<Evaluation, EvaluationAnswer> | undefined;
  #pending = 0;
  #closed = false;

  constructor({ threads, maxQueue, weightCacheBytes, workerUrl }: EvaluatorPoolOptions) {
    const workerData: EvaluationWorkerData = {
      weightCacheBytes: weightCacheBytes ?? defaultWeightCacheBytes,
    };
    this.#most = threads + maxQueue;
    this.#start = () => {
      const pool = new Piscina<Evaluation, EvaluationAnswer>({
        filename: (workerUrl ?? new URL('./worker.js', import.meta.url)).href,
        minThreads: threads,
        maxThreads: threads,
        workerData,
        resourceLimits: threadLimits,
      });
      // A thread that stops while it has no work is replaced by the next; there is nobody to tell.
      pool.on('error', () => undefined);
      return pool;
    };
  }

  /** Frames that are evaluated or wait. */
  get pending(): number {
    return this.#pending;
  }

  /**
   * @param evaluation its frame is transferred: the caller must not use the buffer again
   * @throws FRAME_*, LAYER_UNKNOWN; HOST_BUSY when the queue is full; HOST_CLOSING; INTERNAL when a thread dies
   */
  async evaluate(evaluation: Evaluation): Promise<Uint8Array> {
    if (this.#closed) throw new DenoiseError('HOST_CLOSING');
    if (this.#pending >= this.#most) throw new DenoiseError('HOST_BUSY', { pending: this.#pending });
    this.#pending += 1;
    try {
      const answer = await this.#run(evaluation);
      if (!('error' in answer)) return answer;
      const { code, details } = answer.error;
      throw new DenoiseError(code, details, { cause: new Error(answer.stack) });
    } finally {
      this.#pending -= 1;
    }
  }

  /** Finishes what is pending and stops the threads. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#pool?.close();
  }

  async #run(evaluation: Evaluation): Promise<EvaluationAnswer> {
    try {
      this.#pool ??= this.#start();
      return await this.#pool.run(evaluation, { transferList: [evaluation.frame.buffer] });
    } catch (error) {
      throw new DenoiseError('INTERNAL', { reason: 'an evaluator thread stopped' }, { cause: error });
    }
  }
}
