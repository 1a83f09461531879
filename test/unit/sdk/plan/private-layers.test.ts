import { describe, expect, test } from '@jest/globals';
import { privateLayers } from '@cipherdose/sdk/plan';
import type { Plan, PlanNode } from '@cipherdose/sdk/protocol';
import { privateNetwork, type PrivateNetworkOptions } from '../../../support/private-network.ts';

const options: PrivateNetworkOptions = {
  seed: 3,
  kernels: [
    [3, 3],
    [1, 3],
    [3, 3],
  ],
  widths: [3, 5],
  factor: 2,
  clampBits: 7,
  lastClampBits: 6,
  shift: 5,
  weight: 9,
};
const { plan } = privateNetwork(options);

/** The plan with changes to the node of a name. */
const changed = (
  name: string,
  change: Partial<PlanNode> & object,
  extra: readonly PlanNode[] = [],
): Plan => ({
  ...plan,
  nodes: [
    ...plan.nodes.map((node) => (node.name === name ? ({ ...node, ...change } as PlanNode) : node)),
    ...extra,
  ],
});

const refusal = (reason: RegExp, node: string) =>
  expect.objectContaining({
    code: 'PLAN_NOT_PRIVATE',
    details: expect.objectContaining({ node, reason: expect.stringMatching(reason) }),
  });

describe('private layers', () => {
  test('are the linear layers in order, each with the fewest bits that hold its accumulators', () => {
    const layers = privateLayers(plan);
    expect(layers.map(({ node, requantise }) => [node.name, requantise.name])).toEqual([
      ['linear0', 'scaled0'],
      ['linear1', 'scaled1'],
      ['linear2', 'scaled2'],
    ]);
    layers.forEach(({ node, activation }, i) => {
      const last = i === 2;
      const { accumulatorBits, outputBits } = activation;
      expect(activation).toMatchObject({
        shift: 5,
        clampBits: last ? 0 : 7,
        dividesOnly: last,
        rounding: 'half-up',
      });
      expect(outputBits).toBe(last ? accumulatorBits - 5 : 26);
      expect(-node.accumulatorBound).toBeGreaterThanOrEqual(activation.lowest);
      expect(node.accumulatorBound).toBeLessThanOrEqual(activation.highest);
      // With one bit less half of the range would be gone; the clamp and the rounding take some of it.
      expect(node.accumulatorBound + 2 ** (5 + 7) + 16).toBeGreaterThan(2 ** (accumulatorBits - 2));
    });
  });

  test.each<[RegExp, string, Plan]>([
    [/multipliers have to be 1/, 'scaled0', changed('scaled0', { positive: [1, 2, 1] })],
    [/ReLU/, 'scaled1', changed('scaled1', { negative: [1] })],
    [/below 0 have to be 1/, 'scaled2', changed('scaled2', { negative: [0] })],
    [/0\.\.2\^b-1/, 'scaled0', changed('scaled0', { high: 126 })],
    [/0\.\.2\^b-1/, 'scaled0', changed('scaled0', { low: -1 })],
    [/0\.\.2\^b-1/, 'scaled0', changed('scaled0', { high: 2 ** 13 - 1 })],
    [/shift has to be/, 'scaled0', changed('scaled0', { shift: 0 })],
    [/shift has to be/, 'scaled0', changed('scaled0', { shift: 17 })],
    [/do not fit/, 'linear0', changed('linear0', { accumulatorBound: 2 ** 25 - 1 })],
    [
      /one node and nowhere else/,
      'linear0',
      changed('scaled0', {}, [
        {
          op: 'requantise',
          name: 'more',
          input: 'linear0',
          positive: [1],
          negative: [0],
          shift: 5,
          low: 0,
          high: 127,
        },
      ]),
    ],
    [
      /one node and nowhere else/,
      'scaled0',
      changed('scaled0', {}, [{ op: 'select', name: 'more', input: 'scaled0', channels: [0] }]),
    ],
    [/one node and nowhere else/, 'linear2', { ...plan, output: 'linear2' }],
    [/takes what only a requantise/, 'scaled0', changed('scaled0', { op: 'select', channels: [0, 1, 2] })],
    [/no room for masks/, 'result', { ...plan, parameterSet: 'n4096-q60-t31' }],
  ])('refuses with the reason: %s at %s', (reason, node, wrong) => {
    expect(() => privateLayers(wrong)).toThrow(refusal(reason, node));
  });
});
