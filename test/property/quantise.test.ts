import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { HuImage } from '@cipherdose/sdk/image';
import { checkPlan } from '@cipherdose/sdk/plan';
import { parameterSet } from '@cipherdose/sdk/protocol';
import { evaluateClear } from '#server/network/clear-evaluator.js';
import { evaluateFloat } from '#server/network/float-evaluator.js';
import type { FloatNetwork, FloatNode } from '#server/network/float-network.js';
import { quantise, type QuantisedNetwork } from '#server/network/quantise.js';
import { integers } from '../support/arbitraries.ts';

const input = { lowHu: -1024, highHu: 3071 };
const side = 24;

type Kind = 'none' | 'leaky' | 'relu' | 'prelu' | 'clipped' | 'square' | 'skip';

interface Shape {
  readonly kinds: readonly Kind[];
  readonly width: number;
  readonly kernel: number;
  readonly factor: number;
  readonly residual: boolean;
  readonly seed: number;
}

const shape: fc.Arbitrary<Shape> = fc.record({
  kinds: fc.array(fc.constantFrom<Kind>('none', 'leaky', 'relu', 'prelu', 'clipped', 'square', 'skip'), {
    maxLength: 3,
  }),
  width: fc.integer({ min: 1, max: 5 }),
  kernel: fc.constantFrom(1, 3, 5),
  factor: fc.constantFrom(1, 2),
  residual: fc.boolean(),
  seed: fc.integer(),
});

/** A random network around values of size 1: HU go in over 500 and come out times 500. */
function floatNetwork({ kinds, width, kernel, factor, residual, seed }: Shape): FloatNetwork {
  const next = integers(seed);
  const real = (bound: number): number => next(-1_000_000, 1_000_000) * 1e-6 * bound;
  const nodes: FloatNode[] = [];
  let last = 'image';
  let channels = 1;
  const push = (node: FloatNode): void => void ((last = node.name), nodes.push(node));
  const scaling = (name: string, factor: number): FloatNode => ({
    op: 'activation',
    name,
    input: last,
    positive: [factor],
    negative: [factor],
    low: -Infinity,
    high: Infinity,
  });
  const linear = (name: string, out: number): FloatNode => {
    const taps = channels * kernel * kernel;
    const pad = (kernel - 1) / 2;
    const padding = [pad, pad, pad, pad] as [number, number, number, number];
    const node = {
      op: 'linear' as const,
      name,
      input: last,
      inChannels: channels,
      outChannels: out,
      kernel: [kernel, kernel] as [number, number],
      stride: [1, 1] as [number, number],
      padding,
      weights: Float64Array.from({ length: out * taps }, () => real(2 / Math.sqrt(taps))),
      bias: Float64Array.from({ length: out }, () => real(0.2)),
    };
    channels = out;
    return node;
  };
  push(scaling('scaled', 1 / 500));
  if (factor > 1) push({ op: 'unshuffle', name: 'small', input: last, factor });
  channels = factor ** 2;
  kinds.forEach((kind, i) => {
    push(linear(`linear${i}`, width));
    const activation = {
      op: 'activation' as const,
      name: `activation${i}`,
      input: last,
      positive: [1],
      negative: [1],
    };
    const open = { low: -Infinity, high: Infinity };
    if (kind === 'leaky') push({ ...activation, negative: [0.125], ...open });
    if (kind === 'relu') push({ ...activation, negative: [0], ...open });
    if (kind === 'prelu')
      push({ ...activation, negative: Array.from({ length: width }, () => real(0.5)), ...open });
    if (kind === 'clipped') push({ ...activation, low: -1.5, high: 2 });
    if (kind === 'square')
      push({ op: 'polynomial', name: `square${i}`, input: last, square: 0.25, slope: 0.5, constant: 0.1 });
    if (kind === 'skip') {
      const before = last;
      push({ ...activation, negative: [0.25], ...open });
      push({ op: 'add', name: `skip${i}`, inputs: [before, last], multipliers: [0.5, -0.75] });
    }
  });
  push(linear('last', factor ** 2));
  if (factor > 1) push({ op: 'shuffle', name: 'large', input: last, factor });
  if (residual) push({ op: 'add', name: 'sum', inputs: ['image', last], multipliers: [1, -30] });
  else push(scaling('hu', 100));
  return { nodes, output: last };
}

function image(seed: number): HuImage {
  const next = integers(seed);
  const hu = Int16Array.from({ length: side * side }, (_, i) => (i % side < 4 ? -1000 : next(-300, 400)));
  return { width: side, height: side, hu };
}

const integerNetwork = (network: FloatNetwork, quantised: QuantisedNetwork, set: string) => ({
  plan: checkPlan({
    format: 'cipherdose-plan/1',
    id: 'quantised',
    version: '1.0.0',
    framework: quantised.layers.length === 1 ? 'linear' : 'interactive',
    parameterSet: set,
    input,
    nodes: quantised.nodes,
    output: quantised.output,
    weightsDigest: '0'.repeat(64),
  }),
  layers: quantised.layers,
});

describe('quantise', () => {
  test('a random network loses next to nothing on the images it was calibrated with', () => {
    fc.assert(
      fc.property(shape, (given) => {
        const network = floatNetwork(given);
        const slice = image(given.seed);
        const set = 'n4096-q60-t31';
        const quantised = quantise(network, { parameterSet: set, input, calibration: [slice] });
        const { hu } = evaluateClear(integerNetwork(network, quantised, set), slice);
        expect(quantised.outputs.map(({ data }) => [...data])).toEqual([[...hu]]);
        const real = evaluateFloat(network, slice.hu, side, side).map((y) =>
          Math.max(-1024, Math.min(3071, y)),
        );
        let largest = 1;
        real.forEach(
          (y, i) =>
            (largest = Math.max(largest, Math.abs(y - (given.residual ? (slice.hu[i] as number) : 0)))),
        );
        // Half a HU and half a sixteenth of rounding, and each of up to four layers some parts of 2^12.
        const allowed = 0.6 + 0.01 * largest;
        hu.forEach((y, i) => expect(Math.abs(y - (real[i] as number))).toBeLessThan(allowed));
      }),
      { numRuns: 150 },
    );
  });

  test.each(['n4096-q60-t28', 'n4096-q60-t31', 'n4096-q90-t25'])('%s: every layer is proved', (name) => {
    fc.assert(
      fc.property(shape, (given) => {
        const quantised = quantise(floatNetwork(given), {
          parameterSet: name,
          input,
          calibration: [image(given.seed)],
        });
        const most = 2 ** (parameterSet(name).plainModulusBits - 1);
        for (const proof of quantised.proofs) {
          expect(proof.accumulatorBound).toBeLessThan(most);
          expect(proof.noiseMarginBits).toBeGreaterThan(0);
        }
      }),
      { numRuns: 20 },
    );
  });

  test('the least value of a function is found, wherever it is', () => {
    fc.assert(
      fc.property(fc.integer({ min: -900, max: 2900 }), (middle) => {
        const { nodes } = floatNetwork({
          kinds: [],
          width: 1,
          kernel: 1,
          factor: 1,
          residual: true,
          seed: 1,
        });
        const apply = (x: number): number => 100 * Math.abs(x - middle);
        const distance: FloatNode = { op: 'function', name: 'distance', input: 'image', apply };
        const network = { nodes: [...nodes, distance], output: 'distance' };
        const quantised = quantise(network, {
          parameterSet: 'n4096-q60-t31',
          input,
          calibration: [image(1)],
        });
        const slice = { width: 3, height: 1, hu: Int16Array.of(middle, middle - 7, middle + 5) };
        const { hu } = evaluateClear(integerNetwork(network, quantised, 'n4096-q60-t31'), slice);
        expect([...hu]).toEqual([0, 700, 500]);
      }),
      { numRuns: 50 },
    );
  });

  test('the same twice', () => {
    const network = floatNetwork({
      kinds: ['leaky', 'square'],
      width: 3,
      kernel: 3,
      factor: 2,
      residual: true,
      seed: 5,
    });
    const options = { parameterSet: 'n4096-q60-t31', input, calibration: [image(5)] };
    expect(quantise(network, options)).toEqual(quantise(network, options));
  });

  test('a residual comes in sixteenths of a HU', () => {
    const network = floatNetwork({
      kinds: ['leaky'],
      width: 2,
      kernel: 3,
      factor: 2,
      residual: true,
      seed: 3,
    });
    const { nodes } = quantise(network, { parameterSet: 'n4096-q60-t31', input, calibration: [image(3)] });
    expect(nodes.map((node) => node.op)).toEqual([
      'unshuffle',
      'linear',
      'requantise',
      'linear',
      'requantise',
      'shuffle',
      'add',
    ]);
    expect(nodes.at(-1)).toMatchObject({ multipliers: [16, -1], shift: 4, low: -1024, high: 3071 });
  });

  test('without images there is no calibration', () => {
    const network = floatNetwork({ kinds: [], width: 1, kernel: 1, factor: 1, residual: true, seed: 1 });
    const options = { parameterSet: 'n4096-q60-t31', input, calibration: [] };
    expect(() => quantise(network, options)).toThrow(
      expect.objectContaining({ code: 'CALIBRATION_INVALID' }),
    );
  });
});
