import { DenoiseError } from '../errors/index.ts';
import type { ActivationParameters } from './activation-parameters.ts';
import type { ClientLayout, HostLayout, SharedLayout } from './correlation-memory.ts';
import { batchTransfers } from './oblivious-transfer.ts';
import type { TwoPartySession } from './session.ts';
import { chunkActivations, paddedCount } from './transfer-plan.ts';
import type { Region } from './two-party-kernel.ts';

/** What correlations are for. */
export interface CorrelationFacts {
  readonly session: TwoPartySession;
  readonly parameters: ActivationParameters;
  readonly serial: number;
  /** Activations, 1..{@link chunkActivations}. */
  readonly count: number;
}

/** Randomness for one piece of work, shared with the other side. Used once, then wiped. */
export class Correlations<Layout extends SharedLayout> implements CorrelationFacts {
  readonly session: TwoPartySession;
  readonly parameters: ActivationParameters;
  readonly serial: number;
  readonly count: number;
  readonly layout: Layout;
  readonly #region: Region;
  #state: 'ready' | 'taken' | 'dropped' = 'ready';

  constructor(facts: CorrelationFacts, layout: Layout) {
    this.session = facts.session;
    this.parameters = facts.parameters;
    this.serial = facts.serial;
    this.count = facts.count;
    this.layout = layout;
    this.#region = facts.session.kernel.take(layout.bytes);
  }

  /** Values in memory: {@link count} filled up to whole batches. */
  get padded(): number {
    return paddedCount(this.count);
  }

  get batches(): number {
    return this.padded / batchTransfers;
  }

  /** Whether an activation can still begin with them. */
  get usable(): boolean {
    return this.#state === 'ready';
  }

  /** Address of an offset of the layout. */
  at(offset: number): number {
    if (this.#state === 'dropped') throw new DenoiseError('TWO_PARTY_SPENT', { serial: this.serial });
    return this.#region.address + offset;
  }

  /** Marks them as used. @throws TWO_PARTY_SPENT the second time, and after {@link drop} */
  take(): void {
    if (this.#state !== 'ready') throw new DenoiseError('TWO_PARTY_SPENT', { serial: this.serial });
    this.#state = 'taken';
  }

  /** Wipes them; whatever still wants them fails. */
  drop(): void {
    if (this.#state === 'dropped') return;
    this.#state = 'dropped';
    this.session.kernel.give(this.#region);
  }
}

/** The client's correlations. */
export type ClientCorrelations = Correlations<ClientLayout>;

/** The host's correlations, with its masks. */
export class HostCorrelations extends Correlations<HostLayout> {
  /**
   * What the host takes off the accumulators before it sends them: uniform modulo 2^32, so modulo every plain modulus
   * that is a power of two up to it. The rounding term is in it.
   */
  readonly masks: Uint32Array;

  constructor(facts: CorrelationFacts, layout: HostLayout, masks: Uint32Array) {
    super(facts, layout);
    this.masks = masks;
  }

  override drop(): void {
    super.drop();
    this.masks.fill(0);
  }
}

/** @throws TWO_PARTY_PARAMETERS where the number of activations is out of range */
export function checkCount(count: number): number {
  if (!Number.isInteger(count) || count < 1 || count > chunkActivations)
    throw new DenoiseError('TWO_PARTY_PARAMETERS', { field: 'count', count, limit: chunkActivations });
  return count;
}
