import { checkPlan, type CheckedPlan } from '@cipherdose/sdk/plan';
import type { PlanNode } from '@cipherdose/sdk/protocol';

/** The end of a network of tests: its value goes through a shuffle, and is taken from the image. */
export interface ResidualEnd {
  readonly id: string;
  readonly framework: 'linear' | 'interactive';
  readonly parameterSet: string;
  /** Of the shuffle; 1 for none. */
  readonly factor: number;
  /** The residual is divided by 2^shift. */
  readonly shift: number;
}

/** @param nodes the network up to its last value, that of the last node */
export function residualPlan(nodes: readonly PlanNode[], end: ResidualEnd): CheckedPlan {
  const { id, framework, parameterSet, factor, shift } = end;
  const input = (nodes.at(-1) as PlanNode).name;
  const shuffled: PlanNode[] = factor > 1 ? [{ op: 'shuffle', name: 'shuffled', input, factor }] : [];
  const residual = factor > 1 ? 'shuffled' : input;
  const result: PlanNode = {
    op: 'add',
    name: 'result',
    inputs: ['image', residual],
    multipliers: [2 ** shift, -1],
    shift,
    low: -1024,
    high: 3071,
  };
  return checkPlan({
    format: 'cipherdose-plan/1',
    id,
    version: '1.0.0',
    framework,
    parameterSet,
    input: { lowHu: -1024, highHu: 3071 },
    nodes: [...nodes, ...shuffled, result],
    output: 'result',
    weightsDigest: '0'.repeat(64),
  });
}
