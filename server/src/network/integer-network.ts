import type { CheckedPlan } from '@cipherdose/sdk/plan';

/** Integer weights of one linear layer. They never leave the host. */
export interface LinearWeights {
  /** [out channel][in channel][kernel row][kernel column] */
  readonly weights: Int16Array;
  /** [out channel], on the scale of the accumulators. */
  readonly bias: Int32Array;
}

/** A quantised network: its public plan and its secret weights, one entry for each linear layer in order. */
export interface IntegerNetwork {
  readonly plan: CheckedPlan;
  readonly layers: readonly LinearWeights[];
}
