import { DenoiseError } from '@cipherdose/sdk/errors';
import type { Transport } from '@cipherdose/sdk';
import { estimateCost } from '@cipherdose/sdk/packing';
import { parameterSet } from '@cipherdose/sdk/protocol';
import { evaluateFrame } from '#server/evaluator/evaluate-frame.js';
import { Kernel } from '#server/evaluator/kernel.js';
import { WeightCache } from '#server/evaluator/layer-weights.js';
import type { IntegerNetwork } from '#server/network/integer-network.js';

/** A host without HTTP and threads: the real evaluator behind the client's transport interface. */
export function memoryHost(network: IntegerNetwork): Transport {
  const kernel = new Kernel(parameterSet(network.plan.parameterSet).ringDegree);
  const weights = new WeightCache(kernel, 64 * 2 ** 20);
  const { digest, ...plan } = network.plan;
  const summary = {
    id: plan.id,
    version: plan.version,
    digest,
    modes: [plan.framework],
    summary: 'test',
    cost: estimateCost(plan, 512, 512),
  };
  return {
    models: async () => [summary],
    model: async (id) => {
      if (id !== plan.id) throw new DenoiseError('MODEL_UNKNOWN', { id });
      return { ...summary, plan, card: {} };
    },
    evaluate: async ({ layer, frame }) => evaluateFrame({ kernel, weights, network, layer }, frame),
  };
}
