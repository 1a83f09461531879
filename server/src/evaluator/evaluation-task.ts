import { DenoiseError, type SerialisedError } from '@cipherdose/sdk/errors';
import { move } from 'piscina';
import type { Evaluation } from '../model-source.ts';
import type { IntegerNetwork } from '../network/integer-network.ts';
import { evaluateFrame } from './evaluate-frame.ts';
import { KernelSet } from './kernel-set.ts';

/** What a worker answers when it cannot give a reply frame. The stack is for the host's log, never for the client. */
export interface EvaluationFailure {
  readonly error: SerialisedError;
  readonly stack: string;
}

export type EvaluationAnswer = Uint8Array | EvaluationFailure;

/** What the pool tells its workers. */
export interface EvaluationWorkerData {
  /** Most bytes of prepared weights that one worker keeps. */
  readonly weightCacheBytes: number;
}

/**
 * Makes the task of one worker thread: it owns a kernel, the weights prepared last and the networks it has seen.
 * The task never throws, because an error would lose its code on the way between threads.
 */
export function createEvaluationTask(
  loadModel: (directory: string) => Promise<IntegerNetwork>,
  { weightCacheBytes }: EvaluationWorkerData,
): (evaluation: Evaluation) => Promise<unknown> {
  const kernels = new KernelSet(weightCacheBytes);
  const networks = new Map<string, IntegerNetwork>();

  const networkOf = async ({ modelDirectory, digest }: Evaluation): Promise<IntegerNetwork> => {
    const known = networks.get(digest);
    if (known) return known;
    const network = await loadModel(modelDirectory);
    if (network.plan.digest !== digest)
      throw new DenoiseError('MODEL_DIGEST', { got: network.plan.digest, expected: digest });
    networks.set(digest, network);
    return network;
  };

  return async (evaluation) => {
    try {
      const network = await networkOf(evaluation);
      return move(
        evaluateFrame({ ...kernels.of(network), network, layer: evaluation.layer }, evaluation.frame),
      );
    } catch (error) {
      const failure = DenoiseError.wrap(error, 'INTERNAL');
      const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
      return { error: failure.serialise(), stack } satisfies EvaluationFailure;
    }
  };
}
