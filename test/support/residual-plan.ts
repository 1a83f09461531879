import { blockPixels, type ShuffleFactor } from '@cipherdose/sdk/image';
import { checkPlan, type CheckedPlan } from '@cipherdose/sdk/plan';
import type { PlanNode } from '@cipherdose/sdk/protocol';

/** What a plan of tests is beside its nodes. */
export interface ResidualEnd {
  readonly id: string;
  readonly framework: 'linear' | 'interactive';
  readonly parameterSet: string;
  /** Of the shuffle; 1 for none. */
  readonly factor: ShuffleFactor;
  /** The residual is divided by 2^shift. */
  readonly shift: number;
}

/** A plan of tests, node by node: the image, unshuffled; a chain; that, shuffled and taken from the image. */
export class ResidualPlan {
  /** Channels behind the unshuffle. */
  readonly channels: number;
  readonly #nodes: PlanNode[] = [];

  /** @param factor of the unshuffle; 1 for none */
  constructor(factor: number) {
    this.channels = factor ** 2;
    if (factor > 1) this.push({ op: 'unshuffle', name: 'unshuffled', input: 'image', factor });
  }

  /** Name of the last value. */
  get value(): string {
    return this.#nodes.at(-1)?.name ?? 'image';
  }

  push(node: PlanNode): void {
    this.#nodes.push(node);
  }

  end({ id, framework, parameterSet, factor, shift }: ResidualEnd): CheckedPlan {
    if (blockPixels(factor) > 1)
      this.push({
        ...{ op: 'shuffle', name: 'shuffled', input: this.value },
        factor: typeof factor === 'number' ? factor : [...factor],
      });
    this.push({
      op: 'add',
      name: 'result',
      inputs: ['image', this.value],
      multipliers: [2 ** shift, -1],
      shift,
      low: -1024,
      high: 3071,
    });
    return checkPlan({
      format: 'cipherdose-plan/1',
      id,
      version: '1.0.0',
      framework,
      parameterSet,
      input: { lowHu: -1024, highHu: 3071 },
      nodes: this.#nodes,
      output: 'result',
      weightsDigest: '0'.repeat(64),
    });
  }
}
