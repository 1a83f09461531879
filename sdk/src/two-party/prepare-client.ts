import type { ActivationParameters } from './activation-parameters.ts';
import { clientLayout, planeBytes } from './correlation-memory.ts';
import { checkCount, Correlations, type ClientCorrelations } from './correlations.ts';
import { Machine, Side, writeMessage, type Conversation } from './machine.ts';
import { batchTransfers, groupTransfers } from './oblivious-transfer.ts';
import { checkPreparationHeader, preparationHeaderBytes } from './preparation-header.ts';
import type { TwoPartySession } from './session.ts';
import {
  downCorrectionBytes,
  entryBits,
  paddedCount,
  transferType,
  upCorrectionBytes,
} from './transfer-plan.ts';

const batchWords = batchTransfers * 4;
const batchPlane = (batchTransfers / groupTransfers) * 16;

/** The client's side of a preparation: hand over the host's corrections, send what comes back. */
export class PrepareClient extends Side<ClientCorrelations> {
  protected readonly machine: Machine<ClientCorrelations>;

  /** @throws TWO_PARTY_PARAMETERS, TWO_PARTY_SPENT (session closed), TWO_PARTY_MEMORY */
  constructor(session: TwoPartySession, parameters: ActivationParameters, count: number) {
    super();
    checkCount(count);
    const serial = session.takeSerial();
    const conversation: Conversation = {
      session: session.id,
      serial,
      phase: 'offline',
      counters: session.counters,
    };
    const facts = { session, parameters, serial, count };
    const correlations = new Correlations(facts, clientLayout(parameters, paddedCount(count)));
    let done = false;
    this.machine = new Machine<ClientCorrelations>(
      conversation,
      [
        {
          kind: 'hostCorrections',
          payloadBytes:
            preparationHeaderBytes +
            correlations.batches * downCorrectionBytes(parameters, session.sender.sizes),
          take: (payload) => {
            checkPreparationHeader(payload, parameters, count);
            sendDown(correlations, payload.subarray(preparationHeaderBytes));
            const send = writeMessage(conversation, 'clientCorrections', receiveUp(correlations));
            done = true;
            session.counters.countPrepared(count);
            return { send, result: correlations };
          },
        },
      ],
      () => {
        if (!done) correlations.drop();
      },
    );
  }
}

/** OTs in which the client sends, in the order of the host's corrections. */
function sendDown(correlations: ClientCorrelations, corrections: Uint8Array): void {
  const { session, parameters, layout, serial } = correlations;
  const { kernel, sender } = session;
  const message = kernel.take(corrections.length);
  kernel.bytes(message.address, corrections.length).set(corrections);
  let next = message.address;
  for (let batch = 0; batch < correlations.batches; batch++) {
    const pairsOf = (offset: number) => correlations.at(offset) + batch * 2 * batchPlane;
    const wordsOf = (offset: number) => correlations.at(offset) + batch * batchWords;
    parameters.tree.digits.forEach((digit, i) => {
      sender.sendLeaves(
        { batch, serial, type: transferType('down', 'leaf', i) },
        {
          width: digit.width,
          bits: entryBits(digit),
          corrections: next,
          pads: wordsOf(layout.pads[i] as number),
          secondPads: digit.cappedSignal === undefined ? 0 : wordsOf(layout.cappedPads[i] as number),
        },
      );
      next += sender.sizes.leafBytes;
    });
    layout.triples.forEach(({ b, c }, i) => {
      sender.sendPairs(
        { batch, serial, type: transferType('down', 'node', i) },
        { chosen: false, words: false, corrections: next, zero: pairsOf(c), difference: pairsOf(b) },
      );
      next += sender.sizes.pairBytes(false);
    });
    const words = [
      ...(layout.top ? [{ type: transferType('down', 'top', 0), chosen: true, sent: layout.top }] : []),
      { type: transferType('down', 'carry', 0), chosen: false, sent: layout.carry },
      ...layout.products.map(({ sent }, i) => ({
        type: transferType('down', 'product', i),
        chosen: false,
        sent,
      })),
    ];
    for (const { type, chosen, sent } of words) {
      sender.sendPairs(
        { batch, serial, type },
        {
          chosen,
          words: true,
          corrections: next,
          zero: wordsOf(sent.zero),
          difference: wordsOf(sent.difference),
        },
      );
      next += sender.sizes.pairBytes(chosen);
    }
  }
  kernel.give(message);
}

/** OTs in which the client receives. @returns its corrections */
function receiveUp(correlations: ClientCorrelations): Uint8Array {
  const { session, parameters, layout, padded, serial } = correlations;
  const { kernel, receiver } = session;
  const groups = padded / groupTransfers;
  const bytes = correlations.batches * upCorrectionBytes(parameters, receiver.sizes);
  const message = kernel.take(bytes);
  const other = kernel.take(2 * planeBytes(padded));
  let next = message.address;
  layout.triples.forEach(({ a, b, c }, i) => {
    for (let batch = 0; batch < correlations.batches; batch++) {
      receiver.receivePairs(
        { batch, serial, type: transferType('up', 'node', i) },
        {
          chosen: false,
          words: false,
          choice: correlations.at(a) + batch * batchPlane,
          corrections: next,
          target: other.address + batch * 2 * batchPlane,
        },
      );
      next += receiver.sizes.pairBytes(false);
    }
    kernel.loops.finishTriples(
      correlations.at(a),
      correlations.at(b),
      correlations.at(c),
      other.address,
      groups,
    );
  });
  layout.products.forEach(({ got }, i) => {
    for (let batch = 0; batch < correlations.batches; batch++) {
      receiver.receivePairs(
        { batch, serial, type: transferType('up', 'product', i) },
        {
          chosen: false,
          words: true,
          choice: correlations.at(got.choice) + batch * batchPlane,
          corrections: next,
          target: correlations.at(got.received) + batch * batchWords,
        },
      );
      next += receiver.sizes.pairBytes(false);
    }
  });
  const corrections = kernel.bytes(message.address, bytes).slice();
  kernel.give(other);
  kernel.give(message);
  return corrections;
}
