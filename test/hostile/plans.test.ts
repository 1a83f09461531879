import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { DenoiseError } from '@cipherdose/sdk/errors';
import { planTiling } from '@cipherdose/sdk/packing';
import { checkPlan } from '@cipherdose/sdk/plan';
import { parameterSet, type LinearNode, type Plan, type PlanNode } from '@cipherdose/sdk/protocol';
import { tinyPlan } from '../support/tiny-models.ts';

const { digest, ...plan } = tinyPlan;
const [linear, result] = plan.nodes as [LinearNode, PlanNode];

function codeOf(untrusted: unknown, expectedDigest?: string): string {
  try {
    checkPlan(untrusted, expectedDigest);
  } catch (error) {
    if (error instanceof DenoiseError) return error.code;
    throw error;
  }
  return 'none';
}

const changed = (change: Record<string, unknown>): unknown => ({ ...plan, ...change });
const withLinear = (change: Record<string, unknown>): unknown =>
  changed({ nodes: [{ ...linear, ...change }, result] });
const withResult = (change: Record<string, unknown>): unknown =>
  changed({ nodes: [linear, { ...result, ...change }] });
const withNodes = (...nodes: unknown[]): unknown => changed({ nodes });

const deep = (depth: number): unknown => {
  let value: unknown = {};
  for (let i = 0; i < depth; i++) value = [value];
  return value;
};

const hostile: Readonly<Record<string, readonly [unknown, string]>> = {
  nothing: [undefined, 'PLAN_INVALID'],
  'a number': [7, 'PLAN_INVALID'],
  'an empty object': [{}, 'PLAN_INVALID'],
  'deeply nested lists': [deep(2000), 'PLAN_INVALID'],
  'a field that is not known': [changed({ surprise: 1 }), 'PLAN_INVALID'],
  'another format': [changed({ format: 'cipherdose-plan/2' }), 'PLAN_INVALID'],
  'an id with a path': [changed({ id: '../../etc' }), 'PLAN_INVALID'],
  'a parameter set that is not known': [changed({ parameterSet: 'n1024-q60-t31' }), 'PLAN_INVALID'],
  'an input range upside down': [changed({ input: { lowHu: 100, highHu: -100 } }), 'PLAN_INVALID'],
  'no nodes': [changed({ nodes: [] }), 'PLAN_INVALID'],
  'more nodes than allowed': [changed({ nodes: Array(1000).fill(linear) }), 'PLAN_INVALID'],
  'no linear layer': [withNodes({ ...result, input: 'image' }), 'PLAN_INVALID'],
  'an operation that is not known': [withNodes(linear, { ...result, op: 'eval' }), 'PLAN_INVALID'],
  'millions of channels': [withLinear({ outChannels: 2 ** 21 }), 'PLAN_INVALID'],
  'channels that are not whole': [withLinear({ outChannels: 1.5 }), 'PLAN_INVALID'],
  'channels that do not fit': [withLinear({ inChannels: 2 }), 'PLAN_INVALID'],
  'a kernel of thousands of taps': [withLinear({ kernel: [4096, 4096] }), 'PLAN_INVALID'],
  'a kernel without taps': [withLinear({ kernel: [0, 3] }), 'PLAN_INVALID'],
  'strides that differ': [withLinear({ stride: [1, 2] }), 'PLAN_INVALID'],
  'padding below 0': [withLinear({ padding: [-1, 1, 1, 1] }), 'PLAN_INVALID'],
  'a layer number out of order': [withLinear({ layer: 1 }), 'PLAN_INVALID'],
  'an accumulator that wraps': [withLinear({ accumulatorBound: 2 ** 27 }), 'ACCUMULATOR_BOUND'],
  'an accumulator that is infinite': [withLinear({ accumulatorBound: Infinity }), 'PLAN_INVALID'],
  'a node that reads itself': [withResult({ input: 'result' }), 'PLAN_INVALID'],
  'a cycle of two': [withNodes({ ...linear, input: 'result' }, result), 'PLAN_INVALID'],
  'a node that reads nothing': [withResult({ input: 'elsewhere' }), 'PLAN_INVALID'],
  'a name of JavaScript': [withResult({ input: '__proto__' }), 'PLAN_INVALID'],
  'a name given twice': [withNodes(linear, { ...result, name: 'convolution' }), 'PLAN_INVALID'],
  'an output that is not there': [changed({ output: 'elsewhere' }), 'PLAN_INVALID'],
  'an output beyond 16 bits': [withResult({ high: 40_000 }), 'PLAN_INVALID'],
  'a product beyond 2^53': [withResult({ positive: [2 ** 40] }), 'PLAN_INVALID'],
  'a shift beyond 2^53': [withResult({ shift: 53 }), 'PLAN_INVALID'],
  'a clamp upside down': [withResult({ low: 5, high: 4 }), 'PLAN_INVALID'],
  'multipliers for other channels': [withResult({ positive: [1, 1, 1] }), 'PLAN_INVALID'],
  'an unshuffle into more channels than allowed': [
    withNodes(
      { op: 'unshuffle', name: 'a', input: 'image', factor: 16 },
      { op: 'unshuffle', name: 'b', input: 'a', factor: 16 },
      linear,
      result,
    ),
    'PLAN_LIMIT',
  ],
  'a shuffle beyond the size of the image': [
    withNodes(linear, { op: 'shuffle', name: 'large', input: 'convolution', factor: 2 }, result),
    'PLAN_INVALID',
  ],
  'a sum of two shapes': [
    withNodes(
      { op: 'unshuffle', name: 'small', input: 'image', factor: 2 },
      { ...linear, input: 'image' },
      {
        op: 'add',
        name: 'result',
        inputs: ['convolution', 'small'],
        multipliers: [1, 1],
        shift: 0,
        low: 0,
        high: 1,
      },
    ),
    'PLAN_INVALID',
  ],
  'two layers in the linear framework': [
    withNodes(
      linear,
      { ...linear, name: 'second', input: 'convolution', layer: 1 },
      { ...result, input: 'second' },
    ),
    'PLAN_INVALID',
  ],
};

describe('hostile plans', () => {
  test('the plan that the others are made from is good, and so is its digest', () => {
    expect(codeOf(plan)).toBe('none');
    expect(codeOf(plan, digest)).toBe('none');
  });

  test.each(Object.entries(hostile))('%s', (_, [untrusted, code]) => {
    expect(codeOf(untrusted)).toBe(code);
  });

  test('any change of a plan changes its digest', () => {
    expect(codeOf(changed({ version: '1.0.1' }), digest)).toBe('PLAN_DIGEST');
    expect(codeOf(withResult({ positive: [2] }), digest)).toBe('PLAN_DIGEST');
    expect(codeOf(changed({ weightsDigest: '1'.repeat(64) }), digest)).toBe('PLAN_DIGEST');
  });

  test('the order of the fields does not', () => {
    const reversed = Object.fromEntries(Object.entries(plan).toReversed());
    expect(codeOf(reversed, digest)).toBe('none');
  });

  test('random JSON never gives anything but a code', () => {
    const path = fc.constantFrom<keyof Plan>(
      'id',
      'nodes',
      'input',
      'output',
      'parameterSet',
      'framework',
      'weightsDigest',
    );
    fc.assert(
      fc.property(path, fc.jsonValue(), (field, value) => {
        expect(codeOf(changed({ [field]: value }))).toMatch(/^(none|PLAN_\w+|ACCUMULATOR_BOUND)$/);
      }),
    );
  });

  test('a layer that needs absurdly many ciphertexts is refused when its tiles are planned', () => {
    const wide = { ...linear, inChannels: 512, outChannels: 512, kernel: [31, 31] as [number, number] };
    const plan4096 = (): unknown => planTiling(wide, 4096, 4096, parameterSet('n4096-q60-t28'));
    expect(plan4096).toThrow(expect.objectContaining({ code: 'PLAN_LIMIT' }));
  });
});
