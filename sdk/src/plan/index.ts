export { checkPlan, planDigest, valueShapes, type CheckedPlan, type ValueShape } from './check-plan.ts';
export { largestAccumulator, privateLayers, type PrivateLayer } from './private-layers.ts';
export {
  advanceWalk,
  continueWalk,
  progressAfter,
  resumeWalk,
  startWalk,
  type FinishedWalk,
  type PendingLinear,
  type Walk,
  type WalkProgress,
} from './walk-plan.ts';
export { paddedSize, valueSizes, type ValueSize } from './value-sizes.ts';
export type { ActivationLiteral, ActivationParameters } from '../two-party/activation-parameters.ts';
export type { ComparisonTree, Digit, TreeNode } from '../two-party/comparison-tree.ts';
