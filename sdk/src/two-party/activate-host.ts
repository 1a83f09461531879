import { ActivationMemory } from './activation-memory.ts';
import { activationBytes, messageBits } from './activation-messages.ts';
import { wordBytes } from './correlation-memory.ts';
import type { HostCorrelations } from './correlations.ts';
import { Machine, Side, writeMessage, type Conversation } from './machine.ts';
import { SharedComparison } from './shared-comparison.ts';
import { SharedProducts } from './shared-products.ts';
import { entryBits, wideTable } from './transfer-plan.ts';

/**
 * The host's side of an activation: hand over the client's three messages, send what comes back. The last gives the
 * host's shares of the result, modulo 2^outputBits. Its shares of the input are the masks of the correlations.
 */
export class ActivateHost extends Side<Uint32Array> {
  protected readonly machine: Machine<Uint32Array>;

  /** @throws TWO_PARTY_SPENT where the correlations were used or dropped */
  constructor(correlations: HostCorrelations) {
    super();
    correlations.take();
    const { session, parameters, serial, count, padded, layout } = correlations;
    const { accumulatorBits, shift, tree } = parameters;
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
    const shares = wordBytes(padded);
    kernel.bytes(memory.shares, shares).set(kernel.bytes(at(layout.shares), shares));

    this.machine = new Machine<Uint32Array>(
      conversation,
      [
        {
          kind: 'tables',
          payloadBytes: bytes.tables,
          take: (payload) => {
            let next = memory.load(payload);
            const readLeaf = (i: number, pads: number, signal: number): void => {
              const digit = tree.digits[i];
              if (!digit) return;
              next = loops.readTables(
                memory.shares,
                digit.offset,
                digit.width,
                entryBits(digit) === 1 ? 1 : 0,
                wideTable(digit) ? 1 : 0,
                at(pads),
                next,
                memory.greater[signal] as number,
                memory.equal[signal] as number,
                groups,
              );
            };
            tree.digits.forEach(({ signal, cappedSignal }, i) => {
              readLeaf(i, layout.pads[i] as number, signal);
              if (cappedSignal !== undefined) readLeaf(i, layout.cappedPads[i] as number, cappedSignal);
            });
            if (layout.top)
              next = loops.truncateHost(
                memory.shares,
                accumulatorBits,
                shift,
                at(layout.top.received),
                next,
                bits.top,
                memory.numbers,
                groups,
              );
            else loops.shiftShares(memory.shares, shift, memory.numbers, groups);
            const end = comparison.open(1, memory.sent);
            comparison.close(1, next);
            return {
              send: writeMessage(conversation, 'hostFirst', memory.takeSent(comparison.open(2, end))),
            };
          },
        },
        {
          kind: 'clientSecond',
          payloadBytes: bytes.clientSecond,
          take: (payload) => {
            let next = comparison.close(2, memory.load(payload));
            const answer = comparison.open(3, memory.sent);
            next = comparison.close(3, next);
            loops.closeCarryHost(
              carry,
              at(layout.carry.choice),
              at(layout.carry.received),
              next,
              bits.carry,
              answer,
              memory.numbers,
              groups,
            );
            [tree.top, tree.cappedTop].forEach((top, i) => {
              if (top === undefined) return;
              loops.signPlane(
                memory.shares,
                0,
                accumulatorBits,
                memory.greater[top] as number,
                0,
                memory.signs[i] as number,
                groups,
              );
            });
            const end = products.open(answer + groups * 16);
            return { send: writeMessage(conversation, 'hostSecond', memory.takeSent(end)) };
          },
        },
        {
          kind: 'clientLast',
          payloadBytes: bytes.clientLast,
          take: (payload) => {
            products.close(memory.load(payload));
            counters.countFinished(count);
            return { result: memory.takeOutput() };
          },
        },
      ],
      () => {
        memory.release();
      },
    );
  }
}
