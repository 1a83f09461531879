import { activationBytes } from './activation-messages.ts';
import { planeBytes, wordBytes, type SharedLayout } from './correlation-memory.ts';
import type { Correlations } from './correlations.ts';
import { groupTransfers } from './oblivious-transfer.ts';
import { productCount } from './transfer-plan.ts';
import { RegionPlan, type Region } from './two-party-kernel.ts';

/** What one side works in while an activation runs; addresses in the kernel's memory. */
export class ActivationMemory {
  readonly groups: number;
  /** Own shares, a word a value. */
  readonly shares: number;
  /** Share of y >> shift. */
  readonly numbers: number;
  /** Share of the result; the same as {@link numbers} where only a division is done. */
  readonly output: number;
  /** Share of "not negative", and of "not below the clamp", as planes. */
  readonly signs: readonly number[];
  /** Shares of every signal. */
  readonly greater: readonly number[];
  readonly equal: readonly number[];
  /** The message that came, and the one that goes. */
  readonly received: number;
  readonly sent: number;
  readonly #correlations: Correlations<SharedLayout>;
  readonly #region: Region;

  constructor(correlations: Correlations<SharedLayout>) {
    const { parameters, padded, session } = correlations;
    const plan = new RegionPlan();
    const plane = planeBytes(padded);
    const word = wordBytes(padded);
    const largest = Math.max(...Object.values(activationBytes(parameters, padded)));
    const signals = Array.from({ length: parameters.tree.signals });
    const shares = plan.add(word);
    const numbers = plan.add(word);
    const offsets = {
      shares,
      numbers,
      output: parameters.dividesOnly ? numbers : plan.add(word),
      signs: Array.from({ length: productCount(parameters) }, () => plan.add(plane)),
      greater: signals.map(() => plan.add(plane)),
      equal: signals.map(() => plan.add(plane)),
      received: plan.add(largest),
      sent: plan.add(largest),
    };
    this.#correlations = correlations;
    try {
      this.#region = session.kernel.take(plan.bytes);
    } catch (error) {
      correlations.drop();
      throw error;
    }
    const { address } = this.#region;
    const move = (offset: number) => address + offset;
    this.groups = padded / groupTransfers;
    this.shares = move(offsets.shares);
    this.numbers = move(offsets.numbers);
    this.output = move(offsets.output);
    this.signs = offsets.signs.map(move);
    this.greater = offsets.greater.map(move);
    this.equal = offsets.equal.map(move);
    this.received = move(offsets.received);
    this.sent = move(offsets.sent);
  }

  /** Copies a payload in. @returns its address */
  load(payload: Uint8Array): number {
    this.#correlations.session.kernel.bytes(this.received, payload.length).set(payload);
    return this.received;
  }

  /** @returns a copy of what stands from {@link sent} to `end` */
  takeSent(end: number): Uint8Array {
    return this.#correlations.session.kernel.bytes(this.sent, end - this.sent).slice();
  }

  /** @returns a copy of the result's shares */
  takeOutput(): Uint32Array {
    return this.#correlations.session.kernel.words(this.output, this.#correlations.count).slice();
  }

  /** Wipes it, and the correlations that were used. */
  release(): void {
    this.#correlations.session.kernel.give(this.#region);
    this.#correlations.drop();
  }
}
