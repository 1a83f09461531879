import { roundingTerm, type ActivationParameters } from './activation-parameters.ts';
import { checkCount, HostCorrelations } from './correlations.ts';
import { hostLayout, planeBytes, wordBytes } from './correlation-memory.ts';
import { fillMessage, Machine, Side, type Conversation } from './machine.ts';
import { batchTransfers, groupTransfers } from './oblivious-transfer.ts';
import { preparationHeader, preparationHeaderBytes } from './preparation-header.ts';
import type { TwoPartySession } from './session.ts';
import { downCorrectionBytes, paddedCount, transferType, upCorrectionBytes } from './transfer-plan.ts';

const batchWords = batchTransfers * 4;
const batchPlane = (batchTransfers / groupTransfers) * 16;
const groupPlanes = 32 * 16;

/**
 * The host prepares correlations for `count` activations: send {@link PrepareHost.corrections}, then hand over the
 * client's. Nothing of it depends on the image or the weights.
 */
export class PrepareHost extends Side<HostCorrelations> {
  readonly corrections: Uint8Array;
  protected readonly machine: Machine<HostCorrelations>;

  /** @throws TWO_PARTY_PARAMETERS, TWO_PARTY_SPENT (session closed), TWO_PARTY_MEMORY */
  constructor(session: TwoPartySession, parameters: ActivationParameters, count: number) {
    super();
    checkCount(count);
    const { kernel } = session;
    const serial = session.takeSerial();
    const conversation: Conversation = {
      session: session.id,
      serial,
      phase: 'offline',
      counters: session.counters,
    };
    const masks = new Uint32Array(paddedCount(count));
    session.random(new Uint8Array(masks.buffer));
    const facts = { session, parameters, serial, count };
    const correlations = new HostCorrelations(
      facts,
      hostLayout(parameters, masks.length),
      masks.subarray(0, count),
    );
    const shareMask = 2 ** parameters.accumulatorBits - 1;
    kernel
      .words(correlations.at(correlations.layout.shares), masks.length)
      .set(masks.map((mask) => mask & shareMask));
    const half = roundingTerm(parameters);
    masks.forEach((mask, i) => {
      masks[i] = mask - half;
    });
    const bytes = correlations.batches * downCorrectionBytes(parameters, session.receiver.sizes);
    const message = kernel.take(bytes);
    receiveDown(correlations, message.address);
    const length = preparationHeaderBytes + bytes;
    this.corrections = fillMessage(conversation, 'hostCorrections', length, (payload) => {
      payload.set(preparationHeader(parameters, count));
      payload.set(kernel.bytes(message.address, bytes), preparationHeaderBytes);
    });
    kernel.give(message);

    let done = false;
    this.machine = new Machine<HostCorrelations>(
      conversation,
      [
        {
          kind: 'clientCorrections',
          payloadBytes: correlations.batches * upCorrectionBytes(parameters, session.sender.sizes),
          take: (corrections) => {
            sendUp(correlations, corrections);
            done = true;
            session.counters.countPrepared(count);
            return { result: correlations };
          },
        },
      ],
      () => {
        if (!done) correlations.drop();
      },
    );
  }
}

/** OTs in which the host receives: leaves with the digits of its shares, triples, words. */
function receiveDown(correlations: HostCorrelations, message: number): void {
  const { session, parameters, layout, padded, serial } = correlations;
  const { kernel, receiver } = session;
  const { tree, accumulatorBits } = parameters;
  const groups = padded / groupTransfers;
  const planes = kernel.take(wordBytes(padded));
  kernel.loops.splitPlanes(correlations.at(layout.shares), planes.address, groups);
  if (layout.top)
    kernel.loops.copyPlane(planes.address, accumulatorBits - 1, correlations.at(layout.top.choice), groups);
  for (let batch = 0; batch < correlations.batches; batch++) {
    const planesOf = (offset: number) => correlations.at(offset) + batch * batchPlane;
    const pairsOf = (offset: number) => correlations.at(offset) + batch * 2 * batchPlane;
    const wordsOf = (offset: number) => correlations.at(offset) + batch * batchWords;
    tree.digits.forEach(({ offset, width, cappedSignal }, i) => {
      const shareBits =
        planes.address + batch * (batchTransfers / groupTransfers) * groupPlanes + offset * 16;
      receiver.receiveLeaves(
        { batch, serial, type: transferType('down', 'leaf', i) },
        {
          width,
          choicePlanes: shareBits,
          corrections: message,
          pads: pairsOf(layout.pads[i] as number),
          secondPads: cappedSignal === undefined ? 0 : pairsOf(layout.cappedPads[i] as number),
        },
      );
      message += receiver.sizes.leafBytes;
    });
    layout.triples.forEach(({ a, c }, i) => {
      receiver.receivePairs(
        { batch, serial, type: transferType('down', 'node', i) },
        { chosen: false, words: false, choice: planesOf(a), corrections: message, target: pairsOf(c) },
      );
      message += receiver.sizes.pairBytes(false);
    });
    const words = [
      ...(layout.top ? [{ type: transferType('down', 'top', 0), chosen: true, got: layout.top }] : []),
      { type: transferType('down', 'carry', 0), chosen: false, got: layout.carry },
      ...layout.products.map(({ got }, i) => ({
        type: transferType('down', 'product', i),
        chosen: false,
        got,
      })),
    ];
    for (const { type, chosen, got } of words) {
      receiver.receivePairs(
        { batch, serial, type },
        {
          chosen,
          words: true,
          choice: planesOf(got.choice),
          corrections: message,
          target: wordsOf(got.received),
        },
      );
      message += receiver.sizes.pairBytes(chosen);
    }
  }
  kernel.give(planes);
}

/** OTs in which the host sends: the other half of the triples, words. */
function sendUp(correlations: HostCorrelations, corrections: Uint8Array): void {
  const { session, layout, padded, serial } = correlations;
  const { kernel, sender } = session;
  const groups = padded / groupTransfers;
  const message = kernel.take(corrections.length);
  const other = kernel.take(2 * planeBytes(padded));
  kernel.bytes(message.address, corrections.length).set(corrections);
  let next = message.address;
  layout.triples.forEach(({ a, b, c }, i) => {
    for (let batch = 0; batch < correlations.batches; batch++) {
      sender.sendPairs(
        { batch, serial, type: transferType('up', 'node', i) },
        {
          chosen: false,
          words: false,
          corrections: next,
          zero: other.address + batch * 2 * batchPlane,
          difference: correlations.at(b) + batch * 2 * batchPlane,
        },
      );
      next += sender.sizes.pairBytes(false);
    }
    kernel.loops.finishTriples(
      correlations.at(a),
      correlations.at(b),
      correlations.at(c),
      other.address,
      groups,
    );
  });
  layout.products.forEach(({ sent }, i) => {
    for (let batch = 0; batch < correlations.batches; batch++) {
      sender.sendPairs(
        { batch, serial, type: transferType('up', 'product', i) },
        {
          chosen: false,
          words: true,
          corrections: next,
          zero: correlations.at(sent.zero) + batch * batchWords,
          difference: correlations.at(sent.difference) + batch * batchWords,
        },
      );
      next += sender.sizes.pairBytes(false);
    }
  });
  kernel.give(other);
  kernel.give(message);
}
