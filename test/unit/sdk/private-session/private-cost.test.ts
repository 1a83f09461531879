import { describe, expect, test } from '@jest/globals';
import { privateCost, privateHeaderBytes } from '@cipherdose/sdk/private-session';
import { refusal } from '../../../support/refusal.ts';
import { oneLayerNetwork } from '../../../support/random-network.ts';
import { privateNetwork } from '../../../support/private-network.ts';
import {
  kindOf,
  PrivateConversation,
  randomImage,
  smallPrivateNetwork,
} from '../../../support/private-session.ts';

describe('the cost of a slice in private mode', () => {
  test('is what travels, beside the frames', async () => {
    const network = privateNetwork(smallPrivateNetwork);
    const image = randomImage(160, 120, 1);
    const conversation = await PrivateConversation.open({ network, images: [image] });
    conversation.run();
    expect(conversation.client.done).toBe(true);
    const bytesOf = (...kinds: string[]): number =>
      conversation.spoken
        .filter((each) => kinds.includes(kindOf(each)))
        .reduce((sum, { message }) => sum + message.length - privateHeaderBytes, 0);
    const cost = privateCost(network.plan, image.height, image.width);
    conversation.close();
    expect(cost.activations).toBe((160 * 120 * (4 + 3 + 4)) / 4);
    for (const [estimated, sent] of [
      [cost.offlineBytes, bytesOf('corrections')],
      [cost.onlineBytes, bytesOf('input', 'answer', 'activation', 'result')],
    ] as const) {
      expect(sent).toBeGreaterThanOrEqual(estimated);
      expect(sent).toBeLessThan(1.005 * estimated);
    }
    expect(cost.rounds).toBe(10);
  });

  test('there is none of a plan that is not for it', () => {
    expect(() => privateCost(oneLayerNetwork(1).plan, 64, 64)).toThrow(refusal('PLAN_NOT_PRIVATE'));
  });
});
