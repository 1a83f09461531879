import { beforeAll, describe, expect, test } from '@jest/globals';
import { packValues, privateHeaderBytes, unpackValues } from '@cipherdose/sdk/private-session';
import fc from 'fast-check';
import type { IntegerNetwork } from '#server/network/integer-network.js';
import type { ResumedShare } from '#server/private/host-session.js';
import { privateNetwork } from '../support/private-network.ts';
import {
  clearResult,
  kindOf,
  layerOf,
  PrivateConversation,
  randomImage,
  smallPrivateNetwork as options,
  type PrivateSpoken,
} from '../support/private-session.ts';
import { refusal } from '../support/refusal.ts';
import { present } from '../support/two-party.ts';

const image = randomImage(40, 30, 1);

let network: IntegerNetwork;
beforeAll(() => {
  network = privateNetwork(options);
});

describe('a private session', () => {
  test('a series of slices, prepared ahead: each is exact', async () => {
    const images = [image, randomImage(31, 57, 2), randomImage(40, 30, 3)];
    const conversation = await PrivateConversation.open({ network, images, ahead: 1 });
    conversation.run();
    const { client, finished, asked, spoken } = conversation;
    expect(client.done).toBe(true);
    client.results.forEach(({ hu }, i) => {
      const original = images[i] as (typeof images)[number];
      expect(hu).toEqual(clearResult(network, original));
      expect(hu).not.toEqual(original.hu);
    });
    expect(finished).toEqual([1, 2, 3]);
    expect(asked.map(({ activations }) => activations)).toEqual(
      [40 * 30, 32 * 58, 40 * 30].map((pixels) => [4, 3, 4].map((channels) => (channels * pixels) / 4)),
    );
    // The second slice is opened before the first one is done.
    const order = spoken.map((each) => `${kindOf(each)} ${present(each.message[20])}`);
    expect(order.indexOf('opened 2')).toBeLessThan(order.indexOf('finished 1'));
    conversation.close();
    expect(conversation.kernel.usedBytes).toBe(0);
  });

  test('maps of several pieces are exact', async () => {
    const wide = privateNetwork({ ...options, kernels: options.kernels.slice(1), widths: [5] });
    // 65,600 values of each channel's quarter: pieces of inputs and of activations end at different places.
    const large = randomImage(330, 162, 4);
    const conversation = await PrivateConversation.open({ network: wide, images: [large] });
    conversation.run();
    expect(conversation.client.results[0]?.hu).toEqual(clearResult(wide, large));
    const pieces = conversation.spoken.filter((each) => kindOf(each) === 'answer').map(layerOf);
    expect(pieces).toEqual([0, 0, 1]);
    conversation.close();
  });
});

describe('resumption', () => {
  /** A session that breaks off when `last` says so. */
  const breakOff = async (last: (spoken: PrivateSpoken) => boolean) => {
    const conversation = await PrivateConversation.open({ network, images: [image], seed: 5 });
    conversation.run(Infinity, (spoken) => !last(spoken));
    const kept = present(conversation.client.kept);
    const { reached, spoken, kernel } = conversation;
    conversation.close();
    expect(kernel.usedBytes).toBe(0);
    return { kept, reached, spoken };
  };
  const resume = async (broken: Awaited<ReturnType<typeof breakOff>>, resumed: ResumedShare | undefined) => {
    const conversation = await PrivateConversation.open({
      network,
      images: [image],
      seed: 6,
      resume: broken.kept,
      resumed: resumed && { ...resumed, share: resumed.share.slice() },
    });
    conversation.run();
    expect(conversation.client.results[0]?.hu).toEqual(clearResult(network, image));
    conversation.close();
    return conversation.spoken;
  };

  test.each([1, 2])(
    'goes on with layer %i, exactly, and with nothing that was said before',
    async (layer) => {
      const broken = await breakOff((spoken) => layerOf(spoken) === layer && kindOf(spoken) === 'activation');
      const resumed = present(broken.reached.find((share) => share.layer === layer));
      const again = await resume(broken, resumed);
      const layers = new Set(again.filter((each) => kindOf(each) === 'answer').map(layerOf));
      expect([...layers]).toEqual([1, 2].filter((each) => each >= layer));
      // Everything of the layer that travels is uniform and fresh: no payload comes twice.
      const payloads = (all: readonly PrivateSpoken[]) =>
        all
          .filter(({ message }) => message.length > privateHeaderBytes + 64)
          .map(({ message }) => Buffer.from(message.subarray(privateHeaderBytes)).toString('hex'));
      const before = new Set(payloads(broken.spoken));
      expect(payloads(again).filter((payload) => before.has(payload))).toEqual([]);
      expect(again[0]?.message.subarray(8, 16)).not.toEqual(broken.spoken[0]?.message.subarray(8, 16));
    },
  );

  test('where the host was not told of the end of a layer, it goes on one layer earlier', async () => {
    // The client has finished layer 1, and its last message is lost.
    const broken = await breakOff(
      (spoken) =>
        spoken.from === 'client' &&
        kindOf(spoken) === 'activation' &&
        layerOf(spoken) === 1 &&
        spoken.message[privateHeaderBytes + 5] === 36,
    );
    expect(broken.reached.map(({ layer }) => layer)).toEqual([1]);
    expect([...broken.kept.shares.keys()]).toEqual([0, 1, 2]);
    await resume(broken, broken.reached[0]);
  });

  test('where the host keeps nothing, the slice begins anew', async () => {
    const broken = await breakOff((spoken) => layerOf(spoken) === 2 && kindOf(spoken) === 'input');
    const again = await resume(broken, undefined);
    expect(again.filter((each) => kindOf(each) === 'answer').map(layerOf)).toEqual([0, 1, 2]);
  });
});

describe('lists of values', () => {
  test('come back as they were, and take no more bits than they need', () => {
    const lists = fc.integer({ min: 1, max: 32 }).chain((bits) =>
      fc.record({
        bits: fc.constant(bits),
        values: fc.array(
          fc.nat(2 ** 32 - 1).map((value) => value % 2 ** bits),
          { maxLength: 70 },
        ),
      }),
    );
    fc.assert(
      fc.property(lists, ({ bits, values }) => {
        const packed = packValues(Uint32Array.from(values), bits);
        expect(packed).toHaveLength(Math.ceil((bits * values.length) / 8));
        expect([...unpackValues(packed, values.length, bits)]).toEqual(values);
      }),
    );
    expect(packValues(Uint32Array.of(1, 2, 3, 0x1ff), 9)).toEqual(Uint8Array.of(1, 4, 12, 248, 15));
  });

  test('of another length, or with something behind the last value, are refused', () => {
    const packed = packValues(Uint32Array.of(1, 2, 3), 5);
    expect(() => unpackValues(packed.subarray(1), 3, 5)).toThrow(refusal('TWO_PARTY_LENGTH'));
    expect(() => unpackValues(Uint8Array.of(...packed, 0), 3, 5)).toThrow(refusal('TWO_PARTY_TOO_LARGE'));
    packed[1] = present(packed[1]) | 0x80;
    expect(() => unpackValues(packed, 3, 5)).toThrow(refusal('TWO_PARTY_FOREIGN'));
  });
});
