import { DenoiseError } from '../errors/index.ts';
import { ActivationMemory } from './activation-memory.ts';
import { activationBytes, messageBits } from './activation-messages.ts';
import { Machine, Side, writeMessage, type Conversation } from './machine.ts';
import type { ClientCorrelations } from './correlations.ts';
import { SharedComparison } from './shared-comparison.ts';
import { SharedProducts } from './shared-products.ts';
import { entryBits, wideTable } from './transfer-plan.ts';

/**
 * The client's side of an activation: send {@link ActivateClient.tables}, hand over the host's two messages, send what
 * comes back. The second step also gives the client's shares of the result, modulo 2^outputBits.
 */
export class ActivateClient extends Side<Uint32Array> {
  readonly tables: Uint8Array;
  protected readonly machine: Machine<Uint32Array>;

  /**
   * @param shares u = accumulator - mask, modulo 2^l or a larger power of two; one for each activation
   * @throws TWO_PARTY_SHARES where their number is another than was prepared; TWO_PARTY_SPENT where the correlations were
   *   used or dropped
   */
  constructor(correlations: ClientCorrelations, shares: Uint32Array) {
    super();
    const { session, parameters, serial, count, padded, layout } = correlations;
    if (shares.length !== count)
      throw new DenoiseError('TWO_PARTY_SHARES', { shares: shares.length, prepared: count });
    correlations.take();
    const { accumulatorBits, shift, clampBits, tree } = parameters;
    const { kernel, counters } = session;
    const { loops } = kernel;
    const conversation: Conversation = { session: session.id, serial, phase: 'online', counters };
    const memory = new ActivationMemory(correlations);
    const comparison = new SharedComparison(memory, correlations);
    const products = new SharedProducts(memory, correlations);
    const bytes = activationBytes(parameters, padded);
    const bits = messageBits(parameters);
    const { groups } = memory;
    const at = (offset: number) => correlations.at(offset);
    const carry = memory.greater[tree.carry] as number;
    const limit = clampBits > 0 ? 2 ** (shift + clampBits) : 0;

    const shareMask = 2 ** accumulatorBits - 1;
    kernel.words(memory.shares, count).set(shares.map((share) => share & shareMask));
    let end = memory.sent;
    const writeLeaf = (i: number, subtract: number, pads: number, signal: number): void => {
      const digit = tree.digits[i];
      if (!digit) return;
      end = loops.writeTables(
        memory.shares,
        subtract,
        digit.offset,
        digit.width,
        entryBits(digit) === 1 ? 1 : 0,
        wideTable(digit) ? 1 : 0,
        at(pads),
        end,
        memory.greater[signal] as number,
        memory.equal[signal] as number,
        groups,
      );
    };
    tree.digits.forEach(({ signal, cappedSignal }, i) => {
      writeLeaf(i, 0, layout.pads[i] as number, signal);
      if (cappedSignal !== undefined) writeLeaf(i, limit, layout.cappedPads[i] as number, cappedSignal);
    });
    const { top } = layout;
    if (top)
      end = loops.openTopProduct(memory.shares, accumulatorBits, at(top.difference), end, bits.top, groups);
    this.tables = writeMessage(conversation, 'tables', memory.takeSent(comparison.open(1, end)));

    this.machine = new Machine<Uint32Array>(
      conversation,
      [
        {
          kind: 'hostFirst',
          payloadBytes: bytes.hostFirst,
          take: (payload) => {
            const next = comparison.close(1, memory.load(payload));
            let end = comparison.open(2, memory.sent);
            comparison.close(2, next);
            end = comparison.open(3, end);
            end = loops.openCarry(carry, at(layout.carry.difference), end, bits.carry, groups);
            if (top)
              loops.truncateClient(
                memory.shares,
                accumulatorBits,
                shift,
                at(top.zero),
                memory.numbers,
                groups,
              );
            else loops.shiftShares(memory.shares, shift, memory.numbers, groups);
            return { send: writeMessage(conversation, 'clientSecond', memory.takeSent(end)) };
          },
        },
        {
          kind: 'hostSecond',
          payloadBytes: bytes.hostSecond,
          take: (payload) => {
            const answer = comparison.close(3, memory.load(payload));
            const next = answer + groups * 16;
            loops.closeCarryClient(carry, at(layout.carry.zero), answer, memory.numbers, groups);
            [tree.top, tree.cappedTop].forEach((top, i) => {
              if (top === undefined) return;
              loops.signPlane(
                memory.shares,
                i === 0 ? 0 : limit,
                accumulatorBits,
                memory.greater[top] as number,
                1,
                memory.signs[i] as number,
                groups,
              );
            });
            const send = writeMessage(
              conversation,
              'clientLast',
              memory.takeSent(products.open(memory.sent)),
            );
            products.close(next);
            counters.countFinished(count);
            return { send, result: memory.takeOutput() };
          },
        },
      ],
      () => {
        memory.release();
      },
    );
  }
}
