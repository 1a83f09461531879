import type { ActivationMemory } from './activation-memory.ts';
import type { TreeNode } from './comparison-tree.ts';
import type { SharedLayout } from './correlation-memory.ts';
import type { Correlations } from './correlations.ts';

/** The nodes of a comparison tree on one side's shares. The two sides differ in who adds the public products. */
export class SharedComparison {
  readonly #memory: ActivationMemory;
  readonly #correlations: Correlations<SharedLayout>;

  constructor(memory: ActivationMemory, correlations: Correlations<SharedLayout>) {
    this.#memory = memory;
    this.#correlations = correlations;
  }

  /** Masks the inputs of a level. @returns the address after the message */
  open(level: number, message: number): number {
    const { greater, equal, groups } = this.#memory;
    const { loops } = this.#correlations.session.kernel;
    this.#each(level, ({ high, low, givesEqual }, a, b) => {
      message = loops.openNode(
        equal[high] as number,
        greater[low] as number,
        givesEqual ? (equal[low] as number) : 0,
        a,
        b,
        message,
        groups,
      );
    });
    return message;
  }

  /** Finishes a level with what the other side opened. @returns the address after the message */
  close(level: number, message: number): number {
    const { greater, equal, groups } = this.#memory;
    const { kernel, role } = this.#correlations.session;
    this.#each(level, ({ high, low, givesEqual, signal }, a, b, c) => {
      message = kernel.loops.closeNode(
        greater[high] as number,
        equal[high] as number,
        greater[low] as number,
        givesEqual ? (equal[low] as number) : 0,
        a,
        b,
        c,
        role === 'host' ? 1 : 0,
        message,
        greater[signal] as number,
        equal[signal] as number,
        groups,
      );
    });
    return message;
  }

  #each(level: number, visit: (node: TreeNode, a: number, b: number, c: number) => void): void {
    const { layout, parameters } = this.#correlations;
    parameters.tree.nodes.forEach((node, i) => {
      if (node.level !== level) return;
      const triple = layout.triples[i];
      if (!triple) return;
      const at = (offset: number) => this.#correlations.at(offset);
      visit(node, at(triple.a), at(triple.b), at(triple.c));
    });
  }
}
