import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { DenoiseError } from '@cipherdose/sdk/errors';
import { planTiling } from '@cipherdose/sdk/packing';
import { checkPlan, valueSizes } from '@cipherdose/sdk/plan';
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

const polynomial = {
  ...result,
  op: 'polynomial',
  positive: undefined,
  negative: undefined,
  square: 1,
  slope: 1,
  constant: 1,
};
for (const key of ['positive', 'negative']) Reflect.deleteProperty(polynomial, key);
const piece = { start: -(2 ** 21), square: 0, slope: 1, constant: 0 };
const piecewise = {
  op: 'piecewise',
  name: 'result',
  input: 'convolution',
  pieces: [piece],
  shift: 4,
  low: -1024,
  high: 3071,
};
const pool = {
  op: 'pool',
  name: 'pooled',
  input: 'convolution',
  kind: 'max',
  kernel: [2, 2],
  stride: [1, 1],
  padding: [0, 0, 0, 0],
};
const withPool = (change: Record<string, unknown>): unknown =>
  withNodes(linear, { ...pool, ...change }, { ...result, input: 'pooled' });
const withBlocks = (factor: readonly number[], channels: number): unknown =>
  withNodes(
    { op: 'unshuffle', name: 'small', input: 'image', factor },
    { ...linear, input: 'small', inChannels: channels, outChannels: channels },
    { op: 'shuffle', name: 'large', input: 'convolution', factor },
    { ...result, input: 'large' },
  );
const globalPool = { op: 'globalPool', name: 'pixel', input: 'convolution', kind: 'mean', gain: 1 };
const broadcast = { op: 'broadcast', name: 'large', inputs: ['pixel', 'image'] };
const withPixel = (...nodes: unknown[]): unknown => withNodes(linear, globalPool, ...nodes);

const convolution = {
  op: 'convolution',
  name: 'seen',
  input: 'image',
  inChannels: 1,
  outChannels: 2,
  kernel: [1, 3],
  stride: [1, 1],
  padding: [0, 1, 0, 1],
  weights: [1, 2, 3, -4, 5, 6],
  bias: [7, -8],
  shift: 0,
};
const withConvolution = (change: Record<string, unknown>): unknown =>
  withNodes(
    { ...convolution, ...change },
    { op: 'select', name: 'one', input: 'seen', channels: [1] },
    { ...linear, input: 'one' },
    result,
  );

const mean = {
  op: 'nonLocalMeans',
  name: 'mean',
  inputs: ['image', 'image'],
  search: 5,
  patch: 3,
  weights: [16, 8, 4],
  multiplier: 2 ** 20,
  shift: 10,
  gain: 1,
};
const wide = {
  ...{ op: 'requantise', name: 'wide', input: 'image', positive: [16], negative: [16], shift: 0 },
  ...{ low: -65_536, high: 65_536 },
};
const withMean = (change: Record<string, unknown>): unknown =>
  withNodes(wide, { ...mean, ...change }, { ...linear, input: 'mean' }, result);

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
  'strides that differ, and stay so': [withLinear({ stride: [1, 2] }), 'PLAN_INVALID'],
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
  'a multiple of a million': [changed({ input: { ...plan.input, multiple: 1e6 } }), 'PLAN_INVALID'],
  'a shuffle beyond the size of the image, with a multiple': [
    changed({
      input: { ...plan.input, multiple: 2 },
      nodes: [
        { ...linear, outChannels: 4 },
        { op: 'shuffle', name: 'large', input: 'convolution', factor: 2 },
        { ...result, input: 'large' },
      ],
    }),
    'PLAN_INVALID',
  ],
  'coefficients for other channels': [withNodes(linear, { ...polynomial, square: [1, 2] }), 'PLAN_INVALID'],
  'a square beyond 2^53': [withNodes(linear, { ...polynomial, square: 2 ** 20 }), 'PLAN_INVALID'],
  'a piecewise function without pieces': [withNodes(linear, { ...piecewise, pieces: [] }), 'PLAN_INVALID'],
  'thousands of pieces': [
    withNodes(linear, {
      ...piecewise,
      pieces: Array.from({ length: 5000 }, (_, start) => ({ ...piece, start: start - 2 ** 21 })),
    }),
    'PLAN_INVALID',
  ],
  'pieces that start too late': [
    withNodes(linear, { ...piecewise, pieces: [{ ...piece, start: 0 }] }),
    'PLAN_INVALID',
  ],
  'pieces in disorder': [
    withNodes(linear, { ...piecewise, pieces: [piece, { ...piece, start: 5 }, { ...piece, start: 5 }] }),
    'PLAN_INVALID',
  ],
  'a piece beyond 2^53': [
    withNodes(linear, { ...piecewise, pieces: [{ ...piece, square: 2 ** 20 }] }),
    'PLAN_INVALID',
  ],
  'a selected channel that is not there': [
    withNodes(linear, { op: 'select', name: 'result', input: 'convolution', channels: [1] }),
    'PLAN_INVALID',
  ],
  'more channels joined than allowed': [
    withNodes(
      linear,
      ...Array.from({ length: 3 }, (_, i) => ({
        op: 'concat',
        name: `c${i}`,
        inputs: Array(32).fill(i === 0 ? 'convolution' : `c${i - 1}`),
      })),
      result,
    ),
    'PLAN_LIMIT',
  ],
  'a join of one': [
    withNodes(linear, { op: 'concat', name: 'joined', inputs: ['convolution'] }, result),
    'PLAN_INVALID',
  ],
  'a window in the padding alone': [
    withNodes(linear, { ...pool, padding: [2, 0, 0, 0] }, { ...result, input: 'pooled' }),
    'PLAN_INVALID',
  ],
  'a sum beyond 2^31': [
    withNodes(
      { ...linear, accumulatorBound: 2 ** 26 },
      { ...pool, kind: 'sum', kernel: [31, 31] },
      { ...result, input: 'pooled' },
    ),
    'PLAN_INVALID',
  ],
  'a mean without a gain': [withPool({ kind: 'mean' }), 'PLAN_INVALID'],
  'a sum with a gain': [withPool({ kind: 'sum', gain: 2 }), 'PLAN_INVALID'],
  'a mean of a window beyond 2^31': [withPool({ kind: 'mean', gain: 65_536 }), 'PLAN_INVALID'],
  'blocks of one pixel': [withBlocks([1, 1], 1), 'PLAN_INVALID'],
  'blocks with the same side given twice': [withBlocks([2, 2], 4), 'PLAN_INVALID'],
  'blocks wider than allowed': [withBlocks([1, 17], 17), 'PLAN_INVALID'],
  'rows taken apart and columns put together': [
    withNodes(
      { op: 'unshuffle', name: 'small', input: 'image', factor: [2, 1] },
      { ...linear, input: 'small', inChannels: 2, outChannels: 2 },
      { op: 'shuffle', name: 'large', input: 'convolution', factor: [1, 2] },
      { ...result, input: 'large' },
    ),
    'PLAN_INVALID',
  ],
  'a sum of half the rows and half the columns': [
    withNodes(
      { op: 'unshuffle', name: 'rows', input: 'image', factor: [2, 1] },
      { op: 'unshuffle', name: 'columns', input: 'image', factor: [1, 2] },
      {
        ...{ op: 'add', name: 'sum', inputs: ['rows', 'columns'], multipliers: [1, 1], shift: 0 },
        ...{ low: -1, high: 1 },
      },
      linear,
      result,
    ),
    'PLAN_INVALID',
  ],
  'one pixel as the output': [withPixel({ ...result, input: 'pixel' }), 'PLAN_INVALID'],
  'one pixel that is repeated, but is a map': [
    withPixel({ ...broadcast, inputs: ['convolution', 'image'] }, { ...result, input: 'large' }),
    'PLAN_INVALID',
  ],
  'a sum of one pixel and a map': [
    withPixel({
      op: 'add',
      name: 'result',
      inputs: ['pixel', 'image'],
      multipliers: [1, 1],
      shift: 0,
      low: 0,
      high: 1,
    }),
    'PLAN_INVALID',
  ],
  'one pixel with a frame': [
    withPixel({ op: 'pad', name: 'large', input: 'pixel', fill: 'edge', padding: [1, 1, 1, 1] }, result),
    'PLAN_INVALID',
  ],
  'one pixel in blocks': [
    withPixel({ op: 'unshuffle', name: 'blocks', input: 'pixel', factor: 2 }, result),
    'PLAN_INVALID',
  ],
  'windows of one pixel that are more than one': [
    withPixel({ ...pool, input: 'pixel', kernel: [2, 2], padding: [1, 1, 1, 1] }, result),
    'PLAN_INVALID',
  ],
  'a largest value with a gain': [
    withPixel({ ...globalPool, name: 'most', kind: 'max', gain: 2 }, result),
    'PLAN_INVALID',
  ],
  'a mean beyond 2^31 of all pixels': [
    withNodes({ ...linear, accumulatorBound: 2 ** 26 }, { ...globalPool, gain: 32 }, result),
    'PLAN_INVALID',
  ],
  'a sum of all pixels beyond 2^53': [
    withNodes({ ...linear, accumulatorBound: 2 ** 23 }, { ...globalPool, gain: 4 }, result),
    'PLAN_INVALID',
  ],
  'padding of a million rows': [
    withNodes(
      linear,
      { op: 'pad', name: 'padded', input: 'convolution', fill: 'edge', padding: [1e6, 0, 0, 0] },
      result,
    ),
    'PLAN_INVALID',
  ],
  'a convolution of other channels': [withConvolution({ inChannels: 2 }), 'PLAN_INVALID'],
  'a convolution with a weight too few': [withConvolution({ weights: [1, 2, 3, 4, 5] }), 'PLAN_INVALID'],
  'a convolution with a bias too many': [withConvolution({ bias: [1, 2, 3] }), 'PLAN_INVALID'],
  'a convolution with half a weight': [withConvolution({ weights: [1, 2, 3, 4, 5, 0.5] }), 'PLAN_INVALID'],
  'a convolution whose strides differ, and stay so': [withConvolution({ stride: [1, 2] }), 'PLAN_INVALID'],
  'a convolution whose sums leave 2^31': [
    withConvolution({ kernel: [1, 31], padding: [0, 15, 0, 15], weights: Array(62).fill(32_767) }),
    'PLAN_INVALID',
  ],
  'a convolution of more weights than a plan may have': [
    withConvolution({
      kernel: [31, 31],
      outChannels: 70,
      weights: Array(67_270).fill(1),
      bias: Array(70).fill(0),
    }),
    'PLAN_INVALID',
  ],
  'a convolution whose sums leave 2^53': [
    withNodes(
      { ...convolution, name: 'first', kernel: [1, 1], padding: [0, 0, 0, 0], weights: [32_767, 32_767] },
      {
        ...convolution,
        name: 'second',
        input: 'first',
        inChannels: 2,
        outChannels: 1,
        kernel: [31, 31],
        padding: [15, 15, 15, 15],
        weights: Array(1922).fill(32_767),
        bias: [0],
        shift: 52,
      },
      { ...linear, input: 'second' },
      result,
    ),
    'PLAN_INVALID',
  ],
  'a mean over an even window': [withMean({ search: 6 }), 'PLAN_INVALID'],
  'a mean over a window without end': [withMean({ search: 10_001 }), 'PLAN_INVALID'],
  'patches wider than allowed': [withMean({ patch: 17 }), 'PLAN_INVALID'],
  'a pixel without a weight of its own': [withMean({ weights: [0, 8] }), 'PLAN_INVALID'],
  'a weight below 0': [withMean({ weights: [8, -8] }), 'PLAN_INVALID'],
  'patch distances beyond 2^53': [withMean({ patch: 15 }), 'PLAN_INVALID'],
  'a guide too wide for its patches': [withMean({ inputs: ['image', 'image', 'wide'] }), 'PLAN_INVALID'],
  'a guide of another shape': [
    withNodes(
      { op: 'unshuffle', name: 'small', input: 'image', factor: 2 },
      { ...mean, inputs: ['image', 'image', 'small'] },
      { ...linear, input: 'mean' },
      result,
    ),
    'PLAN_INVALID',
  ],
  'a mean of four maps': [withMean({ inputs: ['image', 'image', 'image', 'image'] }), 'PLAN_INVALID'],
  'a mean beyond 2^31': [withMean({ gain: 65_536, inputs: ['wide', 'wide', 'image'] }), 'PLAN_INVALID'],
  'means of maps that differ in shape': [
    withNodes(
      { op: 'unshuffle', name: 'small', input: 'image', factor: 2 },
      { ...mean, inputs: ['image', 'small'] },
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

  test('the new operations are good where nothing is wrong with them', () => {
    expect(codeOf(withNodes(linear, polynomial))).toBe('none');
    expect(codeOf(withNodes(linear, piecewise))).toBe('none');
    expect(codeOf(withConvolution({}))).toBe('none');
    expect(codeOf(withPool({ kind: 'mean', gain: 2 }))).toBe('none');
    expect(codeOf(withBlocks([1, 2], 2))).toBe('none');
    expect(codeOf(withMean({}))).toBe('none');
    expect(codeOf(withMean({ inputs: ['wide', 'wide', 'image'] }))).toBe('none');
  });

  describe('at the size of an image', () => {
    const sizesOf = (untrusted: unknown): string => {
      try {
        valueSizes(checkPlan(untrusted), 512, 512);
      } catch (error) {
        if (error instanceof DenoiseError) return error.code;
        throw error;
      }
      return 'none';
    };
    const rows = (name: string, input: string, by: number) => ({
      op: 'pad',
      name,
      input,
      fill: 'edge',
      padding: [by, by, by, by],
    });

    test('what grows and shrinks again is fine', () => {
      expect(
        sizesOf(
          withNodes(linear, rows('a', 'convolution', 31), rows('b', 'a', -31), { ...result, input: 'b' }),
        ),
      ).toBe('none');
    });

    test('a mean and a largest value of what a layer gives are fine', () => {
      const most = { ...globalPool, name: 'most', kind: 'max' };
      expect(sizesOf(withPixel(most, { ...broadcast, inputs: ['most', 'image'] }, result))).toBe('none');
    });

    test('the mean of an image taken from each of its pixels is fine', () => {
      const pixel = { ...globalPool, input: 'image', gain: 64 };
      const less = { op: 'add', name: 'less', multipliers: [64, -1], shift: 6, low: -4096, high: 4095 };
      expect(
        sizesOf(
          withNodes(
            pixel,
            broadcast,
            { ...less, inputs: ['image', 'large'] },
            { ...linear, input: 'less' },
            result,
          ),
        ),
      ).toBe('none');
    });

    test('an output of another size', () => {
      expect(sizesOf(withNodes(linear, rows('a', 'convolution', 1), { ...result, input: 'a' }))).toBe(
        'PLAN_INVALID',
      );
    });

    test('maps of different sizes in one sum, and in one join', () => {
      const add = { op: 'add', name: 'sum', multipliers: [1, 1], shift: 0, low: 0, high: 1 };
      const padded = rows('a', 'convolution', 1);
      expect(
        sizesOf(withNodes(linear, padded, { ...add, inputs: ['a', 'image'] }, { ...result, input: 'sum' })),
      ).toBe('PLAN_INVALID');
      const concat = { op: 'concat', name: 'joined', inputs: ['a', 'image'] };
      const select = { op: 'select', name: 'one', input: 'joined', channels: [0] };
      expect(sizesOf(withNodes(linear, padded, concat, select, { ...result, input: 'one' }))).toBe(
        'PLAN_INVALID',
      );
    });

    test('a mirror wider than the image, and a cut of all of it', () => {
      const cut = Array.from({ length: 10 }, (_, i) =>
        rows(`c${i}`, i === 0 ? 'convolution' : `c${i - 1}`, -31),
      );
      expect(sizesOf(withNodes(linear, ...cut, { ...result, input: 'c9' }))).toBe('PLAN_LIMIT');
      const mirror = { ...rows('m', 'c7', 31), fill: 'reflect' };
      expect(sizesOf(withNodes(linear, ...cut.slice(0, 8), mirror, { ...result, input: 'm' }))).toBe(
        'PLAN_INVALID',
      );
    });

    test('maps that grow without end are refused before any memory is taken', () => {
      const grown = Array.from({ length: 240 }, (_, i) =>
        rows(`g${i}`, i === 0 ? 'convolution' : `g${i - 1}`, 31),
      );
      expect(sizesOf(withNodes(linear, ...grown, { ...result, input: 'g239' }))).toBe('PLAN_LIMIT');
      const many = { ...linear, outChannels: 256 };
      const kept = Array.from({ length: 10 }, (_, i) => rows(`k${i}`, 'convolution', 1));
      const one = { op: 'select', name: 'one', input: 'k0', channels: [0] };
      const last = rows('cut', 'one', -1);
      expect(sizesOf(withNodes(many, ...kept.slice(0, 2), one, last, { ...result, input: 'cut' }))).toBe(
        'none',
      );
      expect(sizesOf(withNodes(many, ...kept, one, last, { ...result, input: 'cut' }))).toBe('PLAN_LIMIT');
    });
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
