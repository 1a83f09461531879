import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { DenoiseError } from '@cipherdose/sdk/errors';
import {
  privateHeaderBytes,
  privateKind,
  PrivateReader,
  PrivateWriter,
  type PrivateKind,
} from '@cipherdose/sdk/private-session';
import { parameterSet } from '@cipherdose/sdk/protocol';
import { TwoPartyKernel } from '@cipherdose/sdk/two-party';
import { loadSeal, SealCipher } from '#sdk/he/index.js';
import type { IntegerNetwork } from '#server/network/integer-network.js';
import type { HostSessionParts } from '#server/private/host-session.js';
import { privateNetwork } from '../support/private-network.ts';
import {
  kindOf,
  PrivateConversation,
  randomImage,
  smallPrivateNetwork,
  type PrivateSpoken,
} from '../support/private-session.ts';
import { refusal } from '../support/refusal.ts';
import { present } from '../support/two-party.ts';

const set = parameterSet('n8192-q108-t26');
const image = randomImage(20, 20, 1);
const session = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);

let network: IntegerNetwork;
let cipher: SealCipher;
const kernel = new TwoPartyKernel();
// What the host answers with is of no matter here: zeros that hide nothing come at once.
const nothing = new Uint32Array(set.primes.length * set.ringDegree);
const parts: Partial<HostSessionParts> = {
  kernel,
  openZeros: () => ({ take: () => ({ c0: nothing, c1: nothing }) }),
};
beforeAll(async () => {
  network = privateNetwork({
    ...smallPrivateNetwork,
    kernels: [
      [3, 3],
      [3, 3],
    ],
    widths: [4],
  });
  cipher = new SealCipher(await loadSeal(), set);
});
afterAll(() => {
  cipher.dispose();
});

const converse = () => PrivateConversation.open({ network, images: [image], cipher, parts });

describe('the reader', () => {
  const address = { kind: 'frame', slice: 1, layer: 2, piece: 3 } as const;
  const fresh = () => new PrivateWriter(session).write(address, Uint8Array.of(7, 8));
  const read = (message: Uint8Array<ArrayBuffer>, reader = new PrivateReader(session)) =>
    expect(() => reader.read(message));
  const changed = (offset: number, value: number) => {
    const message = fresh();
    message[offset] = value;
    return message;
  };

  test('takes what the writer writes, once', () => {
    const reader = new PrivateReader(session);
    expect(reader.read(fresh())).toEqual({ ...address, payload: Uint8Array.of(7, 8) });
    read(fresh(), reader).toThrow(refusal('TWO_PARTY_REPLAYED'));
  });

  test('refuses gaps, other protocols and sessions, and lengths that are not so', () => {
    const writer = new PrivateWriter(session);
    writer.write(address, new Uint8Array());
    read(writer.write(address, new Uint8Array())).toThrow(refusal('TWO_PARTY_ORDER'));
    for (const offset of [0, 3, 4, 8, 15]) read(changed(offset, 99)).toThrow(refusal('TWO_PARTY_FOREIGN'));
    for (const kind of [0, 12, 255]) read(changed(5, kind)).toThrow(refusal('TWO_PARTY_ORDER'));
    read(changed(28, 3)).toThrow(refusal('TWO_PARTY_LENGTH'));
    read(changed(28, 1)).toThrow(refusal('TWO_PARTY_TOO_LARGE'));
    for (let length = 0; length < privateHeaderBytes + 2; length++)
      read(fresh().slice(0, length)).toThrow(refusal('TWO_PARTY_LENGTH'));
    read(new Uint8Array(64 * 2 ** 20 + 1)).toThrow(refusal('TWO_PARTY_TOO_LARGE'));
  });
});

/** The message with another payload, and whatever else is changed of its address. */
function rewritten(
  message: Uint8Array<ArrayBuffer>,
  payload: Uint8Array,
  change: { readonly layer?: number; readonly piece?: number; readonly slice?: number } = {},
): Uint8Array<ArrayBuffer> {
  const next = new Uint8Array(privateHeaderBytes + payload.length);
  next.set(message.subarray(0, privateHeaderBytes));
  next.set(payload, privateHeaderBytes);
  const view = new DataView(next.buffer);
  view.setUint32(28, payload.length, true);
  if (change.layer !== undefined) view.setUint16(6, change.layer, true);
  if (change.slice !== undefined) view.setUint32(20, change.slice, true);
  if (change.piece !== undefined) view.setUint32(24, change.piece, true);
  return next;
}

const payloadOf = (message: Uint8Array<ArrayBuffer>) => message.subarray(privateHeaderBytes);

/** With one byte behind. */
function longer(payload: Uint8Array): Uint8Array {
  const next = new Uint8Array(payload.length + 1);
  next.set(payload);
  return next;
}

/** A message again, under the number that comes next. */
function again(message: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const next = message.slice();
  const view = new DataView(next.buffer);
  view.setUint32(16, view.getUint32(16, true) + 1, true);
  return next;
}

/**
 * Runs a session until the client's first message of a kind, and gives the host something else.
 * @returns what the host said to it
 */
async function attack(
  kind: PrivateKind,
  change: (message: Uint8Array<ArrayBuffer>) => readonly Uint8Array<ArrayBuffer>[],
): Promise<string> {
  const conversation = await converse();
  let last: PrivateSpoken | undefined;
  conversation.run(Infinity, (spoken) => {
    if (spoken.from !== 'client' || kindOf(spoken) !== kind) return true;
    last = spoken;
    return false;
  });
  const { host } = conversation;
  const messages = change(present(last).message);
  let code = 'taken';
  try {
    for (const message of messages) host.take(host.read(message));
  } catch (error) {
    code = error instanceof DenoiseError ? error.code : String(error);
    // It is over, whatever comes now.
    expect(() => host.read(present(last).message)).toThrow(refusal('TWO_PARTY_SPENT'));
    expect(kernel.usedBytes).toBe(0);
  }
  conversation.close();
  return code;
}

describe('the host refuses, and drops everything', () => {
  const clientKinds = [
    'handshake',
    'publicKey',
    'open',
    'frame',
    'corrections',
    'input',
    'activation',
    'finished',
  ] as const;

  test.each(clientKinds)('%s twice', async (kind) => {
    expect(await attack(kind, (message) => [message, again(message)])).toMatch(
      /^TWO_PARTY_(ORDER|REPLAYED|SPENT)$|^FRAME_GEOMETRY$/,
    );
  });

  test.each(clientKinds.filter((kind) => kind !== 'finished' && kind !== 'publicKey'))(
    '%s cut short',
    async (kind) => {
      const code = await attack(kind, (message) => [rewritten(message, payloadOf(message).slice(0, -1))]);
      expect(code).toMatch(/^(TWO_PARTY|FRAME)_LENGTH$/);
    },
  );

  test.each(clientKinds.filter((kind) => kind !== 'publicKey'))('%s with something behind', async (kind) => {
    const code = await attack(kind, (message) => [rewritten(message, longer(payloadOf(message)))]);
    expect(code).toMatch(/^TWO_PARTY_TOO_LARGE$|^FRAME_LENGTH$/);
  });

  test.each([
    ['frame', { slice: 2 }],
    ['frame', { piece: 1 }],
    ['corrections', { layer: 1 }],
    ['input', { layer: 1 }],
    ['activation', { piece: 1 }],
    ['activation', { layer: 9 }],
  ] as const)('%s with another address: %p', async (kind, change) => {
    const code = await attack(kind, (message) => [rewritten(message, payloadOf(message), change)]);
    expect(code).toBe('TWO_PARTY_ORDER');
  });

  test('what only a host says', async () => {
    const code = await attack('input', (message) => {
      const other = message.slice();
      other[5] = privateKind.answer;
      return [other];
    });
    expect(code).toBe('TWO_PARTY_ORDER');
  });

  test('an image of no size, and one that is larger than a plan can take', async () => {
    for (const [height, width] of [
      [0, 20],
      [20, 4097],
      [2 ** 31, 2 ** 31],
    ]) {
      const code = await attack('open', (message) => {
        const other = message.slice();
        const view = new DataView(other.buffer, privateHeaderBytes);
        view.setUint32(0, present(height), true);
        view.setUint32(4, present(width), true);
        return [other];
      });
      expect(code).toBe('REQUEST_INVALID');
    }
  });

  test('more slices than it allows', async () => {
    const code = await attack('frame', (message) => {
      const open = rewritten(message, new Uint8Array(40).fill(1, 0, 1).fill(1, 4, 5), {
        slice: 2,
        layer: 0,
        piece: 0,
      });
      open[5] = privateKind.open;
      return [open];
    });
    // The first one is not even prepared.
    expect(code).toBe('TWO_PARTY_ORDER');
  });
});

test('a connection that drops at any step leaves nothing behind on either side', async () => {
  let steps = 0;
  let memory = 0;
  for (let most = 0; ; most++) {
    const conversation = await converse();
    conversation.run(most);
    const { client, host } = conversation;
    conversation.close();
    expect(kernel.usedBytes).toBe(0);
    expect(client.usedBytes).toBe(0);
    expect(() => host.read(new Uint8Array(64))).toThrow(refusal('TWO_PARTY_SPENT'));
    if (client.done) break;
    steps++;
    // The kernel has all it ever needs after one whole slice; before, it grows with the steps.
    memory = Math.max(memory, kernel.memoryBytes);
  }
  expect(steps).toBeGreaterThan(25);
  expect(kernel.memoryBytes).toBe(memory);
});
