import type { ActivationMemory } from './activation-memory.ts';
import { messageBits } from './activation-messages.ts';
import type { SharedLayout } from './correlation-memory.ts';
import type { Correlations } from './correlations.ts';

/**
 * The products of a sign and a number that end an activation: d y' and, with a clamp, minus d' (y' - largest), the
 * largest value taken off on the client's side alone.
 */
export class SharedProducts {
  readonly #memory: ActivationMemory;
  readonly #correlations: Correlations<SharedLayout>;

  constructor(memory: ActivationMemory, correlations: Correlations<SharedLayout>) {
    this.#memory = memory;
    this.#correlations = correlations;
  }

  /** @returns the address after the message */
  open(message: number): number {
    const { signs, numbers, groups } = this.#memory;
    const { parameters, layout, session } = this.#correlations;
    layout.products.forEach(({ sent, got }, i) => {
      message = session.kernel.loops.openProduct(
        signs[i] as number,
        this.#correlations.at(got.choice),
        numbers,
        this.#subtrahend(i),
        this.#correlations.at(sent.difference),
        message,
        messageBits(parameters).product,
        groups,
      );
    });
    return message;
  }

  /** Writes the share of the result from the other side's message. @returns the address after it */
  close(message: number): number {
    const { signs, numbers, output, groups } = this.#memory;
    const { parameters, layout, session } = this.#correlations;
    layout.products.forEach(({ sent, got }, i) => {
      message = session.kernel.loops.closeProduct(
        signs[i] as number,
        this.#correlations.at(got.choice),
        numbers,
        this.#subtrahend(i),
        this.#correlations.at(sent.zero),
        this.#correlations.at(got.received),
        message,
        messageBits(parameters).product,
        i === 0 ? 0 : 1,
        output,
        groups,
      );
    });
    return message;
  }

  #subtrahend(product: number): number {
    const { parameters, session } = this.#correlations;
    return product === 1 && session.role === 'client' ? 2 ** parameters.clampBits - 1 : 0;
  }
}
