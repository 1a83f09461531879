import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { DenoiseError } from '@cipherdose/sdk/errors';
import {
  privateHeaderBytes,
  PrivateReader,
  sliceLayout,
  type PrivateKind,
} from '@cipherdose/sdk/private-session';
import { parameterSet } from '@cipherdose/sdk/protocol';
import { TwoPartyKernel } from '@cipherdose/sdk/two-party';
import { loadSeal, SealCipher } from '#sdk/he/index.js';
import { clientLayout } from '#sdk/two-party/correlation-memory.js';
import { paddedCount } from '#sdk/two-party/transfer-plan.js';
import type { PrivateEvent } from '#sdk/worker/index.js';
import { PrivateSession } from '#sdk/worker/private-session.js';
import { privateNetwork } from '../support/private-network.ts';
import { kindOf, randomImage, smallPrivateNetwork, type PrivateSpoken } from '../support/private-session.ts';
import { spokenBySdk } from '../support/sdk-session.ts';
import { present, seededSource } from '../support/two-party.ts';

type Bytes = Uint8Array<ArrayBuffer>;

const network = privateNetwork(smallPrivateNetwork);
const image = randomImage(20, 20, 1);
const seed = 7;

let cipher: SealCipher;
/** What a host said to a client of the same randomness; what it said of ciphertexts decrypts to something else here. */
let said: readonly PrivateSpoken[];
beforeAll(async () => {
  cipher = new SealCipher(await loadSeal(), parameterSet(network.plan.parameterSet));
  const { spoken } = await spokenBySdk(network, image, seed);
  said = spoken.filter(({ from }) => from === 'host');
});
afterAll(() => cipher.dispose());

/** The client alone, with what it sends and tells. */
class Client {
  readonly kernel = new TwoPartyKernel();
  readonly events: PrivateEvent[] = [];
  sent = 0;
  readonly session: PrivateSession;
  readonly #reader = new PrivateReader();

  constructor() {
    const random = seededSource(2 * seed + 1);
    this.session = new PrivateSession(
      { plan: network.plan, cipher, kernel: this.kernel, random },
      {
        send: () => this.sent++,
        tell: (event) => {
          this.events.push(event);
          if (event.kind === 'ready') this.session.open(1, image);
          if (event.kind === 'prepared') this.session.run(1, image);
        },
      },
    );
  }

  receive(message: Bytes): void {
    this.session.receive(this.#reader.read(message));
  }
}

/** @returns the code that the client refuses `message` with, after what was said before `place` */
function refusalOf(place: number, message: Bytes): string {
  const client = new Client();
  for (const { message: before } of said.slice(0, place)) client.receive(before.slice());
  const { sent } = client;
  let code = 'taken';
  try {
    client.receive(message);
  } catch (error) {
    code = error instanceof DenoiseError ? error.code : String(error);
    // Nothing is said or taken any more, and nothing stays.
    expect(client.sent).toBe(sent);
    expect(() => client.session.receive({ ...address, kind: 'frame', payload: new Uint8Array() })).toThrow(
      expect.objectContaining({ code: 'TWO_PARTY_SPENT' }),
    );
    client.session.drop();
    expect(client.kernel.usedBytes).toBe(0);
  }
  return code;
}

const address = { slice: 1, layer: 0, piece: 0 };
const placeOf = (kind: PrivateKind, nth = 0): number =>
  said.reduce<number[]>((all, each, i) => (kindOf(each) === kind ? [...all, i] : all), [])[nth] ?? -1;

/** The message with another payload, and a header that fits. */
function withPayload(message: Bytes, payload: Uint8Array): Bytes {
  const changed = new Uint8Array(privateHeaderBytes + payload.length);
  changed.set(message.subarray(0, privateHeaderBytes));
  changed.set(payload, privateHeaderBytes);
  new DataView(changed.buffer).setUint32(28, payload.length, true);
  return changed;
}
const payloadOf = (message: Bytes): Bytes => message.subarray(privateHeaderBytes);
const shorter = (message: Bytes): Bytes => withPayload(message, payloadOf(message).subarray(0, -1));
const longer = (message: Bytes): Bytes => {
  const payload = new Uint8Array(message.length - privateHeaderBytes + 1);
  payload.set(payloadOf(message));
  return withPayload(message, payload);
};
const changed = (message: Bytes, at: number, to: number): Bytes => {
  const copy = message.slice();
  copy[at] = to;
  return copy;
};
/** Places of the header. */
const [kindAt, layerAt, sliceAt, pieceAt] = [5, 6, 20, 24];

describe('a host that does not keep to the protocol', () => {
  test('the recording is one that a client takes', () => {
    const client = new Client();
    const used = said.map(({ message }) => {
      client.receive(message.slice());
      return client.kernel.usedBytes;
    });
    expect(client.events.map(({ kind }) => kind)).toContain('finished');
    // A slice that is prepared holds the correlations of its chunks, and one that is done holds none.
    const before = present(used[placeOf('opened')]);
    const correlations = sliceLayout(network.plan, image).layers.reduce(
      (sum, { activation, chunks }) =>
        sum +
        chunks.reduce((bytes, { count }) => bytes + clientLayout(activation, paddedCount(count)).bytes, 0),
      0,
    );
    expect(present(used[placeOf('answer') - 1]) - before).toBe(correlations);
    expect(used.at(-1)).toBe(before);
    client.session.drop();
    expect(client.kernel.usedBytes).toBe(0);
  });

  const length = /^(TWO_PARTY_(LENGTH|TOO_LARGE)|FRAME_[A-Z_]+)$/;
  const turn = /^TWO_PARTY_(ORDER|REPLAYED)$/;
  test.each<[PrivateKind, string, (message: Bytes) => Bytes, RegExp]>([
    ['handshake', 'shorter', shorter, length],
    ['handshake', 'longer', longer, length],
    ['handshake', 'of a slice', (message) => changed(message, sliceAt, 1), turn],
    ['handshake', 'of another piece', (message) => changed(message, pieceAt, 2), turn],
    ['handshake', 'of another kind', (message) => changed(message, kindAt, 4), turn],
    ['opened', 'shorter', shorter, length],
    ['opened', 'of a slice that is not open', (message) => changed(message, sliceAt, 2), turn],
    [
      'opened',
      'with a layer that nobody asked for',
      (message) => changed(message, privateHeaderBytes, 1),
      turn,
    ],
    ['opened', 'with a layer that is not there', (message) => changed(message, privateHeaderBytes, 9), turn],
    ['frame', 'shorter', shorter, length],
    ['frame', 'longer', longer, length],
    ['frame', 'of another layer', (message) => changed(message, layerAt, 1), turn],
    ['frame', 'of another piece', (message) => changed(message, pieceAt, 1), turn],
    ['corrections', 'shorter', shorter, length],
    ['corrections', 'longer', longer, length],
    ['corrections', 'of another layer', (message) => changed(message, layerAt, 1), turn],
    ['answer', 'shorter', shorter, length],
    ['answer', 'longer', longer, length],
    ['answer', 'of the next layer', (message) => changed(message, layerAt, 1), turn],
    ['answer', 'of a layer that is not there', (message) => changed(message, layerAt, 9), turn],
    ['activation', 'shorter', shorter, length],
    ['activation', 'longer', longer, length],
    ['activation', 'of a piece that is not there', (message) => changed(message, pieceAt, 1), turn],
    ['result', 'shorter', shorter, length],
    ['result', 'of another layer', (message) => changed(message, layerAt, 0), turn],
    ['result', 'in place of the activation', (message) => changed(message, kindAt, 9), turn],
  ])('%s %s', (kind, _, change, code) => {
    const place = placeOf(kind);
    expect(refusalOf(place, change(present(said[place]).message))).toMatch(code);
  });

  test.each<[PrivateKind, number]>([
    ['opened', 0],
    ['frame', 0],
    ['corrections', 2],
    ['answer', 0],
    ['activation', 1],
  ])('%s said again, with the number that comes next', (kind, nth) => {
    const place = placeOf(kind, nth);
    const again = present(said[place]).message.slice();
    const number = new DataView(again.buffer).getUint32(16, true);
    new DataView(again.buffer).setUint32(16, number + 1, true);
    expect(refusalOf(place + 1, again)).toMatch(
      /^TWO_PARTY_(ORDER|REPLAYED|SPENT|LENGTH|FOREIGN|TOO_LARGE)$/,
    );
  });

  test('a group element that is none', () => {
    const place = placeOf('handshake');
    const message = present(said[place]).message.slice();
    // The last bytes of the hello are the element.
    message.fill(0xff, -32);
    expect(refusalOf(place, message)).toBe('TWO_PARTY_ELEMENT');
  });
});

describe('who drives the client', () => {
  const order = expect.objectContaining({ code: 'TWO_PARTY_ORDER' });

  test('cannot open a slice before the session is set up, or out of turn', () => {
    const early = new Client();
    expect(() => early.session.open(1, image)).toThrow(order);
    const second = new Client();
    for (const { message } of said.slice(0, placeOf('opened') + 1)) second.receive(message.slice());
    expect(() => second.session.open(2, image)).toThrow(order);
    for (const { session } of [early, second]) session.drop();
  });

  test('cannot run a slice before it is prepared', () => {
    const client = new Client();
    for (const { message } of said.slice(0, placeOf('frame') + 1)) client.receive(message.slice());
    expect(() => client.session.run(1, image)).toThrow(order);
    client.session.drop();
    expect(client.kernel.usedBytes).toBe(0);
  });
});
