import { blake3 } from '@noble/hashes/blake3.js';
import { DenoiseError } from '../errors/index.ts';
import { BaseTransferSender, elementBytes, receiveBaseTransfers } from './base-transfer.ts';
import { Counters } from './counters.ts';
import { Machine, writeMessage, type Conversation, type Step } from './machine.ts';
import { readHeader } from './message.ts';
import { growPuncturedSeeds, growSeeds, puncturedChoices, treeMessageBytes } from './punctured-seeds.ts';
import { randomBytes, systemRandom, type RandomSource } from './random-source.ts';
import { TwoPartySession } from './session.ts';
import {
  leafColumns,
  pairColumns,
  SoftSpokenReceiver,
  SoftSpokenSender,
  type FieldBits,
} from './soft-spoken.ts';
import { TwoPartyKernel } from './two-party-kernel.ts';

// Two directions of OTs. "Down": the client sends and the host receives (leaves, half of the triples); for it the client
// is receiver of the base OTs. "Up": the reverse.
//   host -> client  hello        k, nonce, element of the base OTs down
//   client -> host  clientBase   nonce, element of the base OTs up, answers down
//   host -> client  hostBase     answers up, seed trees down
//   client -> host  clientSeeds  seed trees up

/** What a handshake may be given; all of it has a default. */
export interface HandshakeOptions {
  /** Host only. Default 4. */
  readonly fieldBits?: FieldBits;
  readonly random?: RandomSource;
  /** Sessions of one thread can share a kernel. */
  readonly kernel?: TwoPartyKernel;
}

const nonceBytes = 32;
const helloBytes = 1 + nonceBytes + elementBytes;
const baseCount = (columns: number, k: FieldBits) => columns * k;
const clientBaseBytes = (k: FieldBits) =>
  nonceBytes + elementBytes + baseCount(leafColumns(k), k) * elementBytes;
const hostBaseBytes = (k: FieldBits) =>
  baseCount(pairColumns(k), k) * elementBytes + treeMessageBytes(leafColumns(k), k);
const clientSeedsBytes = (k: FieldBits) => treeMessageBytes(pairColumns(k), k);

const keyContext = new TextEncoder().encode('CipherDose two-party hash key v1');
/** The key of the hash depends on all that was said before any OT. */
const hashKeyOf = (hello: Uint8Array, clientBase: Uint8Array): Uint8Array =>
  blake3(concat(hello, clientBase), { context: keyContext });

/** The host's side: send {@link HostHandshake.hello}, then hand over two messages. */
export class HostHandshake {
  readonly hello: Uint8Array;
  readonly #machine: Machine<TwoPartySession>;

  constructor({
    fieldBits = 4,
    random = systemRandom,
    kernel = new TwoPartyKernel(),
  }: HandshakeOptions = {}) {
    const k = fieldBits;
    const conversation = startConversation(randomBytes(random, 8));
    const { session, counters } = conversation;
    const base = new BaseTransferSender(random);
    const hello = concat(Uint8Array.of(k), randomBytes(random, nonceBytes), base.element);
    this.hello = writeMessage(conversation, 'hello', hello);
    const deltas = randomDeltas(random, pairColumns(k), k);
    let hashKey: Uint8Array;
    let down: Uint8Array;
    let upKeys: readonly Uint8Array[];
    this.#machine = new Machine<TwoPartySession>(
      conversation,
      [
        {
          kind: 'clientBase',
          payloadBytes: clientBaseBytes(k),
          take: (payload) => {
            const element = payload.subarray(nonceBytes, nonceBytes + elementBytes);
            const answers = payload.subarray(nonceBytes + elementBytes);
            hashKey = hashKeyOf(hello, payload);
            const up = receiveBaseTransfers(element, puncturedChoices(deltas, k), random);
            upKeys = up.keys;
            const trees = growSeeds(leafColumns(k), k, base.keys(answers), random);
            down = trees.seeds;
            return { send: writeMessage(conversation, 'hostBase', concat(up.answers, trees.message)) };
          },
        },
        {
          kind: 'clientSeeds',
          payloadBytes: clientSeedsBytes(k),
          take: (payload) => {
            const up = growPuncturedSeeds(deltas, k, upKeys, payload);
            const receiver = new SoftSpokenReceiver(kernel, { k, seeds: down, hashKey });
            const sender = new SoftSpokenSender(kernel, { k, seeds: up, hashKey }, deltas);
            wipe(up, down);
            return {
              result: new TwoPartySession({
                role: 'host',
                id: session,
                kernel,
                random,
                counters,
                sender,
                receiver,
              }),
            };
          },
        },
      ],
      () => {
        deltas.fill(0);
      },
    );
  }

  /** Takes the client's next message. @throws as {@link Machine.receive}, and TWO_PARTY_ELEMENT */
  receive(message: Uint8Array): Step<TwoPartySession> {
    return this.#machine.receive(message);
  }
}

/** The client's side: hand over the host's two messages. */
export class ClientHandshake {
  readonly #random: RandomSource;
  readonly #kernel: TwoPartyKernel;
  #machine: Machine<TwoPartySession> | undefined;

  constructor({
    random = systemRandom,
    kernel = new TwoPartyKernel(),
  }: Omit<HandshakeOptions, 'fieldBits'> = {}) {
    this.#random = random;
    this.#kernel = kernel;
  }

  /**
   * Takes the host's next message.
   * @throws as {@link Machine.receive}, TWO_PARTY_ELEMENT, and TWO_PARTY_PARAMETERS where the host asks for a field that
   *   there is not
   */
  receive(message: Uint8Array): Step<TwoPartySession> {
    this.#machine ??= this.#start(readHeader(message).session);
    return this.#machine.receive(message);
  }

  #start(id: Uint8Array): Machine<TwoPartySession> {
    const random = this.#random;
    const conversation = startConversation(id);
    const base = new BaseTransferSender(random);
    return new Machine<TwoPartySession>(
      conversation,
      [
        {
          kind: 'hello',
          payloadBytes: helloBytes,
          take: (hello) => {
            const k = checkField(hello[0] as number);
            const deltas = randomDeltas(random, leafColumns(k), k);
            const element = hello.subarray(1 + nonceBytes);
            const down = receiveBaseTransfers(element, puncturedChoices(deltas, k), random);
            const answer = concat(randomBytes(random, nonceBytes), base.element, down.answers);
            const hashKey = hashKeyOf(hello, answer);
            this.#machine = this.#finish(conversation, base, { k, deltas, keys: down.keys, hashKey });
            return { send: writeMessage(conversation, 'clientBase', answer) };
          },
        },
      ],
      () => undefined,
    );
  }

  #finish(
    conversation: Conversation,
    base: BaseTransferSender,
    known: { k: FieldBits; deltas: Uint32Array; keys: readonly Uint8Array[]; hashKey: Uint8Array },
  ): Machine<TwoPartySession> {
    const random = this.#random;
    const kernel = this.#kernel;
    const { k, deltas, keys, hashKey } = known;
    const { session: id, counters } = conversation;
    return new Machine<TwoPartySession>(
      conversation,
      [
        {
          kind: 'hostBase',
          payloadBytes: hostBaseBytes(k),
          take: (payload) => {
            const split = baseCount(pairColumns(k), k) * elementBytes;
            const down = growPuncturedSeeds(deltas, k, keys, payload.subarray(split));
            const up = growSeeds(pairColumns(k), k, base.keys(payload.subarray(0, split)), random);
            const sender = new SoftSpokenSender(kernel, { k, seeds: down, hashKey }, deltas);
            const receiver = new SoftSpokenReceiver(kernel, { k, seeds: up.seeds, hashKey });
            wipe(up.seeds, down);
            return {
              send: writeMessage(conversation, 'clientSeeds', up.message),
              result: new TwoPartySession({ role: 'client', id, kernel, random, counters, sender, receiver }),
            };
          },
        },
      ],
      () => {
        deltas.fill(0);
      },
    );
  }
}

const startConversation = (session: Uint8Array): Conversation => ({
  session,
  serial: 0,
  phase: 'handshake',
  counters: new Counters(),
});

function randomDeltas(random: RandomSource, columns: number, k: FieldBits): Uint32Array {
  return Uint32Array.from(randomBytes(random, columns), (byte) => byte & ((1 << k) - 1));
}

/** The kernel has a copy. */
function wipe(...secrets: readonly Uint8Array[]): void {
  for (const secret of secrets) secret.fill(0);
}

function checkField(k: number): FieldBits {
  if (k !== 4 && k !== 8)
    throw new DenoiseError('TWO_PARTY_PARAMETERS', { field: 'fieldBits', fieldBits: k });
  return k;
}

function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((bytes, { length }) => bytes + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
