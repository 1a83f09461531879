import { describe, expect, test } from '@jest/globals';
import { checkPlan } from '@cipherdose/sdk/plan';
import { evaluateClear } from '#server/network/clear-evaluator.js';
import { evaluateFloat } from '#server/network/float-evaluator.js';
import type { FloatNetwork } from '#server/network/float-network.js';
import { quantise } from '#server/network/quantise.js';
import { lowerOnnx } from '#server/onnx/lower-onnx.js';
import { readGraph } from '#server/onnx/read-graph.js';
import { integers } from '../../support/arbitraries.ts';
import { meanConvolution, onnxFile, type FileFields, type NodeFields } from '../../support/onnx-file.ts';

const side = 16;
const image = Int16Array.from({ length: side * side }, (_, i) => integers(i)(-1000, 1000));
const lower = (fields: FileFields): FloatNetwork => lowerOnnx(readGraph(onnxFile(fields)));
const run = (network: FloatNetwork): Float64Array => evaluateFloat(network, image, side, side);
const operations = (network: FloatNetwork): string[] => network.nodes.map((node) => node.op);
const number = (name: string, value: number) => ({ name, dims: [], values: [value] });

const convolution = meanConvolution('hu', 'y');
const plain = run(lower({ nodes: [convolution.node], tensors: convolution.tensors, output: 'y' }));

/** The mean convolution, then `nodes` from `y` to `denoised`. */
const after = (nodes: readonly NodeFields[], tensors: FileFields['tensors'] = []): FloatNetwork =>
  lower({ nodes: [convolution.node, ...nodes], tensors: [...convolution.tensors, ...tensors] });

const close = (network: FloatNetwork, expected: (y: number, i: number) => number): void => {
  const output = run(network);
  plain.forEach((y, i) => expect(output[i]).toBeCloseTo(expected(y, i), 3));
};

describe('lowering', () => {
  test('the convolution is a mean with zero padding', () => {
    let sum = 0.5;
    for (const y of [0, 1, 2]) for (const x of [4, 5, 6]) sum += (image[y * side + x] as number) / 9;
    expect(plain[side + 5]).toBeCloseTo(sum, 3);
  });

  test('constants after a convolution go into its weights', () => {
    const network = after(
      [
        { op: 'Mul', inputs: ['y', 'three'], output: 'a' },
        { op: 'Sub', inputs: ['seven', 'a'], output: 'b' },
        { op: 'Div', inputs: ['b', 'two'], output: 'c' },
        { op: 'Neg', inputs: ['c'], output: 'denoised' },
      ],
      [number('three', 3), number('seven', 7), number('two', 2)],
    );
    expect(operations(network)).toEqual(['linear']);
    close(network, (y) => -(7 - 3 * y) / 2);
  });

  test('batch normalisation goes into the weights', () => {
    const one = (name: string, value: number) => ({ name, dims: [1], values: [value] });
    const network = after(
      [
        {
          op: 'BatchNormalization',
          inputs: ['y', 'g', 'b', 'm', 'v'],
          output: 'denoised',
          attributes: { epsilon: { float: 0 } },
        },
      ],
      [one('g', 2), one('b', 1), one('m', 10), one('v', 16)],
    );
    expect(operations(network)).toEqual(['linear']);
    close(network, (y) => (2 * (y - 10)) / 4 + 1);
  });

  test.each<[string, NodeFields, (y: number) => number]>([
    ['Relu', { op: 'Relu', inputs: ['y'], output: 'denoised' }, (y) => Math.max(0, y)],
    [
      'LeakyRelu',
      { op: 'LeakyRelu', inputs: ['y'], output: 'denoised', attributes: { alpha: { float: 0.125 } } },
      (y) => (y < 0 ? y / 8 : y),
    ],
    ['PRelu', { op: 'PRelu', inputs: ['y', 'slope'], output: 'denoised' }, (y) => (y < 0 ? y / 4 : y)],
    [
      'Clip',
      { op: 'Clip', inputs: ['y', 'low', 'high'], output: 'denoised' },
      (y) => Math.max(-50, Math.min(60, y)),
    ],
    [
      'Clip without a lower end',
      { op: 'Clip', inputs: ['y', '', 'high'], output: 'denoised' },
      (y) => Math.min(60, y),
    ],
  ])('%s', (_, node, expected) => {
    const tensors = [
      { name: 'slope', dims: [1, 1, 1], values: [0.25] },
      number('low', -50),
      number('high', 60),
    ];
    const network = after([node], tensors);
    expect(operations(network)).toEqual(['linear', 'activation']);
    close(network, expected);
  });

  test('a rectifier after a factor below 0 swaps its sides', () => {
    const network = after(
      [
        { op: 'Relu', inputs: ['y'], output: 'a' },
        { op: 'Mul', inputs: ['a', 'minus'], output: 'b' },
        { op: 'LeakyRelu', inputs: ['b'], output: 'denoised', attributes: { alpha: { float: 0.5 } } },
      ],
      [number('minus', -3)],
    );
    close(network, (y) => (y > 0 ? -1.5 * y : 0));
  });

  test('a quadratic polynomial in pieces is one node', () => {
    const network = after(
      [
        { op: 'Mul', inputs: ['y', 'y'], output: 'square' },
        { op: 'Div', inputs: ['square', 'four'], output: 'quarter' },
        { op: 'Div', inputs: ['y', 'two'], output: 'half' },
        { op: 'Add', inputs: ['quarter', 'half'], output: 'sum' },
        { op: 'Add', inputs: ['sum', 'two'], output: 'denoised' },
      ],
      [number('four', 4), number('two', 2)],
    );
    expect(network.nodes.at(-1)).toMatchObject({ op: 'polynomial', square: 0.25, slope: 0.5, constant: 2 });
    close(network, (y) => y ** 2 / 4 + y / 2 + 2);
  });

  test('Pow 2 is the square', () => {
    const network = after([{ op: 'Pow', inputs: ['y', 'two'], output: 'denoised' }], [number('two', 2)]);
    close(network, (y) => y ** 2);
  });

  test('the difference to the image is a sum with factors', () => {
    const network = after(
      [
        { op: 'Identity', inputs: ['y'], output: 'a' },
        { op: 'Dropout', inputs: ['a'], output: 'b' },
        { op: 'Cast', inputs: ['b'], output: 'c', attributes: { to: 1 } },
        { op: 'Sub', inputs: ['hu', 'c'], output: 'denoised' },
      ],
      [],
    );
    expect(network.nodes.at(-1)).toMatchObject({
      op: 'add',
      inputs: ['image', 'linear0'],
      multipliers: [1, -1],
    });
    close(network, (y, i) => (image[i] as number) - y);
  });

  test('a change of scale before an unshuffle ends up in the convolution', () => {
    const inner = meanConvolution('small', 'out', [16, 16]);
    const network = lower({
      nodes: [
        { op: 'Div', inputs: ['hu', 'scale'], output: 'scaled' },
        { op: 'SpaceToDepth', inputs: ['scaled'], output: 'small', attributes: { blocksize: 4 } },
        inner.node,
        { op: 'DepthToSpace', inputs: ['out'], output: 'large', attributes: { blocksize: 4, mode: 'CRD' } },
        { op: 'Mul', inputs: ['large', 'scale'], output: 'residual' },
        { op: 'Sub', inputs: ['hu', 'residual'], output: 'denoised' },
      ],
      tensors: [...inner.tensors, number('scale', 500)],
    });
    expect(operations(network)).toEqual(['unshuffle', 'linear', 'shuffle', 'add']);
    expect(network.nodes[1]).toMatchObject({
      weights: expect.objectContaining({ 0: expect.closeTo(1 / 4500, 8) }),
    });
    expect(network.nodes.at(-1)).toMatchObject({ multipliers: [1, -500] });
  });

  test('dilations, groups and strides are written out', () => {
    const network = lower({
      nodes: [
        { op: 'SpaceToDepth', inputs: ['hu'], output: 'small', attributes: { blocksize: 2 } },
        {
          op: 'Conv',
          inputs: ['small', 'w'],
          output: 'y',
          attributes: { group: 2, dilations: [2, 2], pads: [2, 2, 2, 2], strides: [1, 1] },
        },
        { op: 'DepthToSpace', inputs: ['y'], output: 'denoised', attributes: { blocksize: 2, mode: 'DCR' } },
      ],
      tensors: [{ name: 'w', dims: [4, 2, 3, 3], values: Array.from({ length: 72 }, (_, i) => i + 1) }],
    });
    const linear = network.nodes[1];
    if (linear?.op !== 'linear') throw new Error('a convolution stands there');
    expect(linear).toMatchObject({ inChannels: 4, outChannels: 4, kernel: [5, 5], padding: [2, 2, 2, 2] });
    const weight = (out: number, channel: number, ky: number, kx: number): number | undefined =>
      linear.weights[((out * 4 + channel) * 5 + ky) * 5 + kx];
    expect(weight(0, 0, 0, 0)).toBe(1);
    expect(weight(0, 0, 0, 1)).toBe(0);
    expect(weight(0, 0, 4, 4)).toBe(9);
    expect(weight(0, 2, 0, 0)).toBe(0);
    expect(weight(3, 3, 4, 4)).toBe(72);
    expect(weight(3, 1, 4, 4)).toBe(0);
  });

  test('what the output does not need is left out', () => {
    const network = after([
      { op: 'Relu', inputs: ['y'], output: 'unused' },
      { op: 'LeakyRelu', inputs: ['y'], output: 'denoised' },
    ]);
    expect(operations(network)).toEqual(['linear', 'activation']);
  });
});

describe('pixel shuffle as PyTorch writes it', () => {
  const shape = (name: string, ...values: number[]) => ({
    name,
    dims: [values.length],
    values,
    type: 'int64' as const,
  });

  test('Reshape, Transpose, Reshape there and back', () => {
    const inner = meanConvolution('small', 'y', [4, 4]);
    const network = lower({
      nodes: [
        { op: 'Reshape', inputs: ['hu', 's1'], output: 'a' },
        { op: 'Transpose', inputs: ['a'], output: 'b', attributes: { perm: [0, 1, 3, 5, 2, 4] } },
        { op: 'Reshape', inputs: ['b', 's2'], output: 'small' },
        inner.node,
        { op: 'Reshape', inputs: ['y', 's3'], output: 'c' },
        { op: 'Transpose', inputs: ['c'], output: 'd', attributes: { perm: [0, 1, 4, 2, 5, 3] } },
        { op: 'Reshape', inputs: ['d', 's4'], output: 'denoised' },
      ],
      tensors: [
        ...inner.tensors,
        shape('s1', -1, 1, 8, 2, 8, 2),
        shape('s2', 0, 4, 8, 8),
        shape('s3', 1, 1, 2, 2, 8, 8),
        shape('s4', 1, 1, 16, -1),
      ],
    });
    expect(operations(network)).toEqual(['unshuffle', 'linear', 'shuffle']);
  });
});

/** A network in integers, what it makes of an image, and how far the farthest pixel is from real numbers, HU. */
function quantised(network: FloatNetwork, hu: Int16Array) {
  const picture = { width: side, height: side, hu };
  const input = { lowHu: -1024, highHu: 3071 };
  const { nodes, output, layers } = quantise(network, {
    parameterSet: 'n4096-q60-t31',
    input,
    calibration: [picture],
  });
  const plan = checkPlan({
    format: 'cipherdose-plan/1',
    id: 'quantised',
    version: '1.0.0',
    framework: 'linear',
    parameterSet: 'n4096-q60-t31',
    input,
    nodes,
    output,
    weightsDigest: '0'.repeat(64),
  });
  const integer = evaluateClear({ plan, layers }, picture).hu;
  const largest = evaluateFloat(network, hu, side, side).reduce(
    (most, value, i) => Math.max(most, Math.abs(value - (integer[i] as number))),
    0,
  );
  return { plan, layers, integer, largest };
}

describe('public convolutions', () => {
  const network = lower({
    nodes: [
      { ...meanConvolution('hu', 'mean').node, op: 'PublicConv', domain: 'cipherdose' },
      { op: 'Relu', inputs: ['mean'], output: 'above' },
      meanConvolution('above', 'removed').node,
      { op: 'Sub', inputs: ['hu', 'removed'], output: 'denoised' },
    ],
    tensors: [...meanConvolution('hu', 'mean').tensors, ...meanConvolution('above', 'removed').tensors],
  });

  test('are steps of the client, and no layer of the host', () => {
    expect(operations(network)).toEqual(['convolution', 'activation', 'linear', 'add']);
    const { plan, layers } = quantised(network, image);
    expect(layers).toHaveLength(1);
    const { weights = [] } = plan.nodes.find(({ op }) => op === 'convolution') as { weights?: number[] };
    expect(new Set(weights).size).toBe(1);
    expect(weights[0]).toBeGreaterThan(2 ** 14);
  });

  test('give in integers what they give in real numbers, to 1 HU', () => {
    expect(quantised(network, image).largest).toBeLessThanOrEqual(1);
  });
});

describe.each([false, true])('non-local means, guided: %s', (guided) => {
  const file = onnxFile({
    nodes: [
      // Wider than patches can be compared in exactly.
      { op: 'Add', inputs: ['hu', 'hu'], output: 'twice' },
      { op: 'Abs', inputs: ['hu'], output: 'size' },
      {
        op: 'AveragePool',
        inputs: ['size'],
        output: 'deviation',
        attributes: { kernel_shape: [5, 5], pads: [2, 2, 2, 2], count_include_pad: 1 },
      },
      {
        op: guided ? 'GuidedNonLocalMeans' : 'NonLocalMeans',
        domain: 'cipherdose',
        inputs: ['hu', 'deviation', ...(guided ? ['twice'] : [])],
        output: 'left',
        attributes: { search: 7, patch: 3, strength: { float: 1.5 } },
      },
      { ...meanConvolution('left', 'removed').node },
      { op: 'Sub', inputs: ['left', 'removed'], output: 'denoised' },
    ],
    tensors: meanConvolution('left', 'removed').tensors,
  });
  const network = lowerOnnx(readGraph(file));
  const hu = image.map((value) => value / 10);

  test('is one node with the attributes of the file', () => {
    expect(network.nodes).toContainEqual(
      expect.objectContaining({
        op: 'nonLocalMeans',
        inputs: ['image', expect.any(String), ...(guided ? [expect.any(String)] : [])],
        search: 7,
        patch: 3,
      }),
    );
  });

  test('integers give what real numbers give, to 1 HU', () => {
    const { integer, largest } = quantised(network, hu);
    expect(largest).toBeLessThanOrEqual(1);
    // The filter does something: noise of some 60 HU is no longer what it was.
    expect(integer).not.toEqual(hu);
  });
});
