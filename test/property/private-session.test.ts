import { describe, expect, test } from '@jest/globals';
import { privateNetwork, type PrivateNetworkOptions } from '../support/private-network.ts';
import { clearResult, PrivateConversation, randomImage } from '../support/private-session.ts';

const options: PrivateNetworkOptions = {
  seed: 3,
  kernels: [
    [3, 5],
    [3, 3],
    [1, 3],
  ],
  widths: [4, 3],
  factor: 2,
  clampBits: 8,
  lastClampBits: 8,
  shift: 5,
  weight: 30,
};

describe('a private session', () => {
  test('a series of slices, prepared ahead: each is exact', async () => {
    const network = privateNetwork(options);
    const images = [randomImage(40, 30, 1), randomImage(31, 57, 2), randomImage(40, 30, 3)];
    const conversation = await PrivateConversation.open({ network, images, ahead: 1 });
    conversation.run();
    const { client, finished, asked } = conversation;
    expect(client.done).toBe(true);
    client.results.forEach(({ hu }, i) => {
      const image = images[i] as (typeof images)[number];
      expect(hu).toEqual(clearResult(network, image));
      expect(hu).not.toEqual(image.hu);
    });
    expect(finished).toEqual([1, 2, 3]);
    expect(asked.map(({ activations }) => activations)).toEqual(
      [40 * 30, 32 * 58, 40 * 30].map((pixels) => [4, 3, 4].map((channels) => (channels * pixels) / 4)),
    );
    conversation.close();
    expect(conversation.kernel.usedBytes).toBe(0);
  });
});
