export { checkPlan, planDigest, valueShapes, type CheckedPlan, type ValueShape } from './check-plan.ts';
export { continueWalk, startWalk, type FinishedWalk, type PendingLinear, type Walk } from './walk-plan.ts';
export { paddedSize, valueSizes, type ValueSize } from './value-sizes.ts';
