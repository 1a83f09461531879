import type { ActivationParameters } from './activation-parameters.ts';
import { planeBytes } from './correlation-memory.ts';
import { productCount, wideTable } from './transfer-plan.ts';

/** Bits that one activation takes of each part of a message. */
export interface MessageBits {
  readonly top: number;
  readonly carry: number;
  readonly product: number;
}

/**
 * The parts; everything is modulo 2^outputBits, and factors of two in front save their bits. Of a division alone nothing is
 * left of the top product.
 */
export const messageBits = ({ accumulatorBits, shift, outputBits }: ActivationParameters): MessageBits => ({
  top: outputBits - (accumulatorBits - shift),
  carry: outputBits - 1,
  product: outputBits,
});

/** Payload bytes of the five messages of an activation. */
export interface ActivationBytes {
  readonly tables: number;
  readonly hostFirst: number;
  readonly clientSecond: number;
  readonly hostSecond: number;
  readonly clientLast: number;
}

/** @param padded values, a multiple of 2048 */
export function activationBytes(parameters: ActivationParameters, padded: number): ActivationBytes {
  const { digits, nodes } = parameters.tree;
  const bits = messageBits(parameters);
  const opened = (level: number) =>
    nodes.reduce((sum, node) => sum + (node.level === level ? (node.givesEqual ? 3 : 2) : 0), 0);
  const tables = digits.reduce(
    (sum, digit) => sum + (wideTable(digit) ? 32 : 16) * (digit.cappedSignal === undefined ? 1 : 2),
    0,
  );
  const products = productCount(parameters) * (1 + bits.product);
  const bytes = (each: number) => planeBytes(padded) * each;
  return {
    tables: bytes(tables + bits.top + opened(1)),
    hostFirst: bytes(opened(1) + opened(2)),
    clientSecond: bytes(opened(2) + opened(3) + bits.carry),
    hostSecond: bytes(opened(3) + 1 + products),
    clientLast: bytes(products),
  };
}
