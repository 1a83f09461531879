import type { ActivationParameters } from './activation-parameters.ts';
import type { Digit } from './comparison-tree.ts';
import { batchTransfers, type CorrectionSizes } from './oblivious-transfer.ts';

/** Activations of one piece of work at most: correlations are held in memory until they are used. */
export const chunkActivations = 65_536;

/** Values of a piece of work, filled up to whole batches of OTs. */
export const paddedCount = (count: number): number => Math.ceil(count / batchTransfers) * batchTransfers;

/** Bits that one entry of a leaf's table travels with: "greater", and but for the lowest digit "equal". */
export const entryBits = (digit: Digit): 1 | 2 => (digit.signal === 0 ? 1 : 2);
/** Whether a leaf's table needs a whole word, or half of one. */
export const wideTable = (digit: Digit): boolean => digit.signal !== 0 && digit.width > 3;

/** Products of a shared bit and a shared number: the ReLU, and with a clamp what is above it. */
export function productCount({ clampBits, dividesOnly }: ActivationParameters): 0 | 1 | 2 {
  if (dividesOnly) return 0;
  return clampBits > 0 ? 2 : 1;
}

const purpose = { leaf: 0, node: 1, top: 2, carry: 3, product: 4 } as const;

/** Who receives: 'down' the host, 'up' the client. */
export type TransferDirection = 'down' | 'up';

/** First word but one of the tweak: no two kinds of OTs of one serial number have the same. */
export const transferType = (
  direction: TransferDirection,
  use: keyof typeof purpose,
  index: number,
): number => ((direction === 'down' ? 0 : 1) << 16) | (purpose[use] << 8) | index;

/** Bytes of the corrections that the host sends for one batch. */
export function downCorrectionBytes(parameters: ActivationParameters, sizes: CorrectionSizes): number {
  const { digits, nodes } = parameters.tree;
  const randomPairs = nodes.length + 1 + productCount(parameters);
  const topBytes = parameters.dividesOnly ? 0 : sizes.pairBytes(true);
  return digits.length * sizes.leafBytes + randomPairs * sizes.pairBytes(false) + topBytes;
}

/** Bytes of the corrections that the client sends for one batch. */
export const upCorrectionBytes = (parameters: ActivationParameters, sizes: CorrectionSizes): number =>
  (parameters.tree.nodes.length + productCount(parameters)) * sizes.pairBytes(false);
