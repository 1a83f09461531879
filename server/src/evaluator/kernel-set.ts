import { parameterSet } from '@cipherdose/sdk/protocol';
import type { IntegerNetwork } from '../network/integer-network.ts';
import { Kernel } from './kernel.ts';
import { WeightCache } from './layer-weights.ts';

/** A kernel and the weights that are prepared in its memory. */
export interface KernelWithWeights {
  readonly kernel: Kernel;
  readonly weights: WeightCache;
}

/** The kernels of one thread, one for each ring degree that was needed. */
export class KernelSet {
  readonly #weightCacheBytes: number;
  readonly #kernels = new Map<number, KernelWithWeights>();

  /** @param weightCacheBytes most bytes of prepared weights that each kernel keeps */
  constructor(weightCacheBytes: number) {
    this.#weightCacheBytes = weightCacheBytes;
  }

  /** @throws PARAMETERS_INVALID if there is no kernel for the network's ring degree */
  of(network: IntegerNetwork): KernelWithWeights {
    const { ringDegree } = parameterSet(network.plan.parameterSet);
    const known = this.#kernels.get(ringDegree);
    if (known) return known;
    const kernel = new Kernel(ringDegree);
    const made = { kernel, weights: new WeightCache(kernel, this.#weightCacheBytes) };
    this.#kernels.set(ringDegree, made);
    return made;
  }
}
