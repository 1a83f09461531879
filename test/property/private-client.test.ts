import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { loadSeal } from '@cipherdose/sdk/zero-encryption';
import { parameterSet } from '@cipherdose/sdk/protocol';
import { privateHeaderBytes, type PrivateKind } from '@cipherdose/sdk/private-session';
import { SealCipher } from '#sdk/he/index.js';
import { PrivateMachines } from '../support/private-machines.ts';
import { privateNetwork } from '../support/private-network.ts';
import {
  clearResult,
  kindOf,
  layerOf,
  randomImage,
  smallPrivateNetwork,
  type PrivateSpoken,
} from '../support/private-session.ts';
import { refusal } from '../support/refusal.ts';

const network = privateNetwork(smallPrivateNetwork);
const image = randomImage(30, 20, 1);

let cipher: SealCipher;
beforeAll(async () => {
  cipher = new SealCipher(await loadSeal(), parameterSet(network.plan.parameterSet));
});
afterAll(() => cipher.dispose());

/** Whether a message is the nth of its kind that a side sends. */
function nth(from: PrivateSpoken['from'], kind: PrivateKind, count = 1): (spoken: PrivateSpoken) => boolean {
  let seen = 0;
  return (spoken) => spoken.from === from && kindOf(spoken) === kind && ++seen === count;
}

describe("the client's session", () => {
  test('a series is exact, with two slices open, and holds correlations for no more than those', async () => {
    const images = [image, randomImage(26, 22, 2), randomImage(30, 20, 3)];
    const peaks: number[] = [];
    for (const slices of [1, 2]) {
      const machines = await PrivateMachines.open(cipher, { network, images, slices });
      machines.run();
      expect(machines.results.map(({ hu }) => hu)).toEqual(images.map((each) => clearResult(network, each)));
      peaks.push(machines.peakBytes);
      machines.drop();
      expect(machines.clientKernel.usedBytes).toBe(0);
    }
    const [alone = 0, two = 0] = peaks;
    expect(alone).toBeGreaterThan(0);
    expect(two).toBeLessThan(2.2 * alone);
  });

  test.each<[PrivateSpoken['from'], PrivateKind, number]>([
    ['host', 'handshake', 2],
    ['client', 'publicKey', 1],
    ['client', 'open', 1],
    ['host', 'opened', 1],
    ['client', 'frame', 2],
    ['host', 'frame', 2],
    ['host', 'corrections', 2],
    ['client', 'input', 1],
    ['host', 'answer', 2],
    ['client', 'activation', 5],
    ['host', 'activation', 4],
    ['client', 'activation', 9],
    ['host', 'result', 1],
  ])(
    'breaks off where the %s loses %s %i, drops everything, and another one goes on exactly',
    async (...lost) => {
      const broken = await PrivateMachines.open(cipher, { network, images: [image], seed: 2 });
      const isLost = nth(...lost);
      const said: string[] = [];
      broken.run((spoken) => {
        said.push(Buffer.from(spoken.message.subarray(privateHeaderBytes)).toString('base64'));
        return !isLost(spoken);
      });
      expect(broken.results).toEqual([]);
      const { reached } = broken;
      const resumed = reached && { ...reached, share: reached.share.slice() };
      const kept = broken.drop();
      expect(broken.clientKernel.usedBytes).toBe(0);

      const again = await PrivateMachines.open(cipher, { network, images: [image], seed: 3, kept, resumed });
      const layers = new Set<number>();
      const repeated: string[] = [];
      again.run((spoken) => {
        if (kindOf(spoken) === 'answer') layers.add(layerOf(spoken));
        const payload = Buffer.from(spoken.message.subarray(privateHeaderBytes)).toString('base64');
        if (payload.length > 100 && said.includes(payload)) repeated.push(kindOf(spoken));
        return true;
      });
      expect(again.results[0]?.hu).toEqual(clearResult(network, image));
      expect(Math.min(...layers)).toBe(reached?.layer ?? 0);
      expect(repeated).toEqual([]);
      again.drop();
      expect(again.clientKernel.usedBytes).toBe(0);
    },
  );
});

describe('a message of the host', () => {
  const kinds: PrivateKind[] = [
    'handshake',
    'opened',
    'frame',
    'corrections',
    'answer',
    'activation',
    'result',
  ];

  test.each(kinds)('%s, once more with a new number, ends the session', async (kind) => {
    const machines = await PrivateMachines.open(cipher, { network, images: [image], seed: 4 });
    let last: Uint8Array<ArrayBuffer> | undefined;
    machines.run((spoken) => {
      if (last) return spoken.from !== 'host';
      if (spoken.from === 'host' && kindOf(spoken) === kind) last = spoken.message.slice();
      return true;
    });
    const copy = last as Uint8Array<ArrayBuffer>;
    const view = new DataView(copy.buffer);
    view.setUint32(16, view.getUint32(16, true) + 1, true);
    expect(() => machines.give(copy)).toThrow(
      expect.objectContaining({ code: expect.stringMatching(/^TWO_PARTY_(REPLAYED|ORDER|SPENT)$/) }),
    );
    expect(() => machines.client.open(2, image)).toThrow(refusal('TWO_PARTY_SPENT'));
    machines.drop();
    expect(machines.clientKernel.usedBytes).toBe(0);
  });

  test.each<[string, PrivateKind, (message: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>, RegExp]>([
    ['another slice', 'answer', (message) => change(message, 20), /ORDER/],
    ['another layer', 'activation', (message) => change(message, 6), /ORDER|REPLAYED/],
    ['another piece', 'frame', (message) => change(message, 24), /ORDER/],
    [
      'another two-party session',
      'activation',
      (message) => change(message, privateHeaderBytes + 9),
      /FOREIGN|ORDER/,
    ],
    ['another digest', 'frame', (message) => change(message, privateHeaderBytes + 20), /FRAME/],
    ['a layer that nobody kept', 'opened', (message) => change(message, privateHeaderBytes), /ORDER/],
    ['another kind', 'corrections', (message) => change(message, 5), /ORDER/],
  ])('that is about %s ends the session', async (_, kind, changed, code) => {
    const machines = await PrivateMachines.open(cipher, { network, images: [image], seed: 5 });
    const is = nth('host', kind);
    let refused: unknown;
    machines.run((spoken) => {
      if (!is(spoken)) return true;
      try {
        machines.give(changed(spoken.message));
      } catch (error) {
        refused = error;
      }
      return false;
    });
    expect(refused).toMatchObject({ code: expect.stringMatching(code) });
    machines.drop();
    expect(machines.clientKernel.usedBytes).toBe(0);
  });
});

function change(message: Uint8Array<ArrayBuffer>, at: number): Uint8Array<ArrayBuffer> {
  const copy = message.slice();
  copy[at] = (copy[at] as number) ^ 1;
  return copy;
}
