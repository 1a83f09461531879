import { describe, expect, test } from '@jest/globals';
import { activationCost, checkActivation } from '@cipherdose/sdk/two-party';
import { activate, edgesAndRandom, openPair, prepare } from '../../../support/two-party.ts';

/** More than the headers of all messages. */
const headers = 7 * 64;

describe('what activations cost', () => {
  test.each([
    [20, 8, 0, 20, 5000],
    [21, 8, 9, 26, 2048],
    [25, 12, 6, 14, 300],
    [25, 12, 0, 13, 300],
  ])(
    'is what travels: l %d, shift %d, clamp %d, out %d',
    (accumulatorBits, shift, clampBits, outputBits, count) => {
      const parameters = checkActivation({
        accumulatorBits,
        shift,
        clampBits,
        outputBits,
        rounding: 'half-up',
      });
      const pair = openPair();
      const bytesOf = (work: () => void): number => {
        pair.spoken.length = 0;
        work();
        return pair.spoken.reduce((sum, { message }) => sum + message.length, 0);
      };
      let correlations: ReturnType<typeof prepare> | undefined;
      const offline = bytesOf(() => (correlations = prepare(pair, parameters, count)));
      const online = bytesOf(() => {
        if (correlations) activate(pair, correlations, edgesAndRandom(parameters, count, 1));
      });
      const { offlineBytes, onlineBytes } = activationCost(parameters, count);
      expect(offline - offlineBytes).toBeGreaterThan(0);
      expect(offline - offlineBytes).toBeLessThan(headers);
      expect(online - onlineBytes).toBeGreaterThan(0);
      expect(online - onlineBytes).toBeLessThan(headers);
    },
  );

  test('adds up over pieces', () => {
    const parameters = checkActivation({
      accumulatorBits: 20,
      shift: 8,
      clampBits: 8,
      outputBits: 26,
      rounding: 'half-up',
    });
    const one = activationCost(parameters, 65_536);
    const three = activationCost(parameters, 3 * 65_536);
    expect(three).toEqual({ offlineBytes: 3 * one.offlineBytes, onlineBytes: 3 * one.onlineBytes });
    expect(activationCost(parameters, 1).onlineBytes).toBe(activationCost(parameters, 2048).onlineBytes);
  });
});
