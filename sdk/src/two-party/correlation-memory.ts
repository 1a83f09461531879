import type { ActivationParameters } from './activation-parameters.ts';
import { groupTransfers } from './oblivious-transfer.ts';
import { productCount } from './transfer-plan.ts';
import { RegionPlan } from './two-party-kernel.ts';

/** Sender's part of OTs for words: message 0, and message 1 minus message 0; a word a value. */
export interface SentWords {
  readonly zero: number;
  readonly difference: number;
}

/** Receiver's part: the word it got, and its choice as a plane. */
export interface GotWords {
  readonly received: number;
  readonly choice: number;
}

/** Shares of a AND b: one plane of a, two of b, two of the products; a group each. */
export interface Triple {
  readonly a: number;
  readonly b: number;
  readonly c: number;
}

/** Offsets that both sides have. */
export interface SharedLayout {
  readonly bytes: number;
  /** Leaf pads: a word a value for the client, two planes a group for the host. */
  readonly pads: readonly number[];
  /** The same of the second comparison; 0 where a digit has none. */
  readonly cappedPads: readonly number[];
  readonly triples: readonly Triple[];
  readonly products: readonly { readonly sent: SentWords; readonly got: GotWords }[];
}

/** The client sends in the OTs for the top product and the carry. */
export interface ClientLayout extends SharedLayout {
  /** Not of a division alone. */
  readonly top?: SentWords;
  readonly carry: SentWords;
}

/** The host receives there, and knows its shares beforehand. */
export interface HostLayout extends SharedLayout {
  readonly shares: number;
  /** Not of a division alone. */
  readonly top?: GotWords;
  readonly carry: GotWords;
}

/** Bytes of one plane, of two planes and of one word for every value. */
export const planeBytes = (count: number): number => (count / groupTransfers) * 16;
export const wordBytes = (count: number): number => count * 4;

/** @param count a multiple of 2048 */
export function clientLayout(parameters: ActivationParameters, count: number): ClientLayout {
  const plan = new RegionPlan();
  const shared = addShared(plan, parameters, count, wordBytes(count));
  return {
    ...shared,
    ...(parameters.dividesOnly ? {} : { top: addSent(plan, count) }),
    carry: addSent(plan, count),
    bytes: plan.bytes,
  };
}

/** @param count a multiple of 2048 */
export function hostLayout(parameters: ActivationParameters, count: number): HostLayout {
  const plan = new RegionPlan();
  const shared = addShared(plan, parameters, count, 2 * planeBytes(count));
  return {
    ...shared,
    shares: plan.add(wordBytes(count)),
    ...(parameters.dividesOnly ? {} : { top: addGot(plan, count) }),
    carry: addGot(plan, count),
    bytes: plan.bytes,
  };
}

function addShared(
  plan: RegionPlan,
  parameters: ActivationParameters,
  count: number,
  padBytes: number,
): Omit<SharedLayout, 'bytes'> {
  const { digits, nodes } = parameters.tree;
  const plane = planeBytes(count);
  // An offset of 0 means "none" to the kernel, so nothing real may stand there.
  plan.add(64);
  return {
    pads: digits.map(() => plan.add(padBytes)),
    cappedPads: digits.map(({ cappedSignal }) => (cappedSignal === undefined ? 0 : plan.add(padBytes))),
    triples: nodes.map(() => ({ a: plan.add(plane), b: plan.add(2 * plane), c: plan.add(2 * plane) })),
    products: Array.from({ length: productCount(parameters) }, () => ({
      sent: addSent(plan, count),
      got: addGot(plan, count),
    })),
  };
}

const addSent = (plan: RegionPlan, count: number): SentWords => ({
  zero: plan.add(wordBytes(count)),
  difference: plan.add(wordBytes(count)),
});

const addGot = (plan: RegionPlan, count: number): GotWords => ({
  received: plan.add(wordBytes(count)),
  choice: plan.add(planeBytes(count)),
});
