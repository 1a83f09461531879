import { beforeAll, describe, expect, test } from '@jest/globals';
import type { HuImage } from '@cipherdose/sdk/image';
import { privateHeaderBytes, sliceLayout, type PrivateKind } from '@cipherdose/sdk/private-session';
import { messageBits } from '#sdk/two-party/activation-messages.js';
import { messageHeaderBytes, messageKind, readHeader, type MessageKind } from '#sdk/two-party/message.js';
import { entryBits, paddedCount } from '#sdk/two-party/transfer-plan.js';
import { privateNetwork } from '../support/private-network.ts';
import {
  clearResult,
  kindOf,
  randomImage,
  smallPrivateNetwork,
  type PrivateSpoken,
} from '../support/private-session.ts';
import { spokenBySdk } from '../support/sdk-session.ts';
import { present } from '../support/two-party.ts';

const network = privateNetwork(smallPrivateNetwork);
const noise = randomImage(60, 44, 1);
/** The image that would show through best: all pixels are the same. */
const air: HuImage = { ...noise, hu: new Int16Array(noise.hu.length).fill(-1000) };

/** By the SDK's session and the host's. */
async function spokenOf(image: HuImage): Promise<readonly PrivateSpoken[]> {
  const { result, spoken } = await spokenBySdk(network, image, 41);
  expect(result.hu).toEqual(clearResult(network, image));
  return spoken;
}

const payloadsOf = (spoken: readonly PrivateSpoken[], from: PrivateSpoken['from'], kind: PrivateKind) =>
  spoken
    .filter((each) => each.from === from && kindOf(each) === kind)
    .map(({ message }) => message.subarray(privateHeaderBytes));

/**
 * Bits that are 1, in standard deviations of fair coins from their half.
 * @param bits how many coins there are; default: every bit is one
 */
function unbalance(
  parts: readonly Uint8Array[],
  bits = 8 * parts.reduce((sum, { length }) => sum + length, 0),
): number {
  let ones = 0;
  for (const part of parts) for (let byte of part) for (; byte > 0; byte &= byte - 1) ones++;
  expect(bits).toBeGreaterThan(1000);
  return Math.abs(ones - bits / 2) / Math.sqrt(bits / 4);
}

const activationsOf = (spoken: readonly PrivateSpoken[], from: PrivateSpoken['from'], kind: MessageKind) =>
  payloadsOf(spoken, from, 'activation')
    .filter((message) => readHeader(message).kind === messageKind[kind])
    .map((message) => message.subarray(messageHeaderBytes));

describe('what travels in private mode', () => {
  let ofNoise: readonly PrivateSpoken[];
  let ofAir: readonly PrivateSpoken[];
  beforeAll(async () => {
    ofNoise = await spokenOf(noise);
    ofAir = await spokenOf(air);
  });

  test('the order and the lengths of messages do not depend on the image', () => {
    const shape = (spoken: readonly PrivateSpoken[]) =>
      spoken.map((each) => `${each.from} ${kindOf(each)} ${each.message.length}`);
    expect(shape(ofNoise)).toEqual(shape(ofAir));
  });

  test.each([
    ['client', 'corrections'],
    ['host', 'corrections'],
    ['client', 'open'],
  ] as const)(
    'before the image, %s, %s: the same for every image under the same randomness',
    (from, kind) => {
      const [one, other] = [ofNoise, ofAir].map((spoken) => Buffer.concat(payloadsOf(spoken, from, kind)));
      expect(one?.length).toBeGreaterThan(0);
      expect(one?.equals(present(other))).toBe(true);
    },
  );

  test.each([
    ['client', 'input'],
    ['host', 'answer'],
    ['host', 'result'],
  ] as const)('with an image of air, %s, %s: as many ones as zeros', (from, kind) => {
    expect(unbalance(payloadsOf(ofAir, from, kind))).toBeLessThan(5);
  });

  test.each([
    ['host', 'hostFirst'],
    ['client', 'clientSecond'],
    ['host', 'hostSecond'],
    ['client', 'clientLast'],
  ] as const)('with an image of air, %s, %s: as many ones as zeros', (from, kind) => {
    expect(unbalance(activationsOf(ofAir, from, kind))).toBeLessThan(5);
  });

  test('with an image of air, client, tables: as many ones as zeros, but for entries that are 0 for every share', () => {
    const messages = activationsOf(ofAir, 'client', 'tables');
    // Of a digit's 2^width entries the first is taken off all; what is behind the last stays empty.
    const coins = sliceLayout(network.plan, air).layers.map(({ activation, outputCount }) => {
      const { digits, nodes } = activation.tree;
      const entries = digits.map(
        (digit) => (digit.cappedSignal === undefined ? 1 : 2) * entryBits(digit) * (2 ** digit.width - 1),
      );
      const opened = nodes.filter(({ level }) => level === 1).map(({ givesEqual }) => (givesEqual ? 3 : 2));
      const each = [...entries, ...opened].reduce((sum, bits) => sum + bits, messageBits(activation).top);
      return each * paddedCount(outputCount);
    });
    expect(messages).toHaveLength(coins.length);
    messages.forEach((message, layer) => {
      expect(message.length * 8).toBeGreaterThanOrEqual(present(coins[layer]));
      expect(unbalance([message], coins[layer])).toBeLessThan(5);
    });
  });
});
