import { describe, expect, test } from '@jest/globals';
import type { DenoiseError } from '@cipherdose/sdk/errors';
import { lowerOnnx } from '#server/onnx/lower-onnx.js';
import { readGraph } from '#server/onnx/read-graph.js';
import { onnxFile, type FileFields, type NodeFields, type TensorFields } from '../support/onnx-file.ts';
import {
  around,
  list,
  node,
  number,
  shape,
  side,
  testAgainstOnnxRuntime,
  weights,
} from '../support/operator-networks.ts';

/** Four values around 1 in `x`, their pixel of global pooling in `p`, and what the case makes of them in `y`. */
const withPixel = (
  pooling: NodeFields,
  nodes: readonly NodeFields[],
  tensors: readonly TensorFields[] = [],
  outer = 4,
): FileFields => around([4, outer], [pooling, ...nodes], tensors);
const mean = node('GlobalAveragePool', ['x'], 'p');
const squeezed = [weights('squeeze', [2, 4, 1, 1], 3), weights('excite', [4, 2, 1, 1], 3)];
const excited = [
  node('Conv', ['p', 'squeeze'], 's'),
  node('Relu', ['s'], 'r'),
  node('Conv', ['r', 'excite'], 'e'),
  node('Sigmoid', ['e'], 'gate'),
];
const gains = list('gains', [1.5, 0.5, -1, 2]);
const offsets = list('offsets', [0.3, -0.2, 0.1, 0]);

const cases: Readonly<Record<string, FileFields>> = {
  'squeeze and excitation': withPixel(mean, [...excited, node('Mul', ['x', 'gate'], 'y')], squeezed),
  'squeeze and excitation of two axes, expanded': withPixel(
    mean,
    [
      node('Flatten', ['p'], 'flat'),
      node('Gemm', ['flat', 'down'], 's', { transB: 1 }),
      node('Relu', ['s'], 'r'),
      node('Gemm', ['r', 'up'], 'e', { transB: 1 }),
      node('Sigmoid', ['e'], 'g'),
      node('Reshape', ['g', 'pixel'], 'gate'),
      node('Expand', ['gate', 'large'], 'gates'),
      node('Mul', ['x', 'gates'], 'y'),
    ],
    [
      weights('down', [2, 4], 3),
      weights('up', [4, 2], 3),
      shape('pixel', 1, 4, 1, 1),
      shape('large', 1, 4, side, side),
    ],
  ),
  'attention of means and of largest values': withPixel(
    mean,
    [
      node('GlobalMaxPool', ['x'], 'm'),
      node('Conv', ['p', 'w'], 'a'),
      node('Conv', ['m', 'w'], 'b'),
      node('Add', ['a', 'b'], 'sum'),
      node('Sigmoid', ['sum'], 'gate'),
      node('Mul', ['gate', 'x'], 'y'),
    ],
    [weights('w', [4, 4, 1, 1], 1)],
  ),
  'what differs from the mean': withPixel(node('ReduceMean', ['x'], 'p', { axes: [2, 3] }), [
    node('Sub', ['x', 'p'], 'y'),
  ]),
  'the mean of axes that are not kept': withPixel(
    node('ReduceMean', ['x'], 'flat', { axes: [-1, -2], keepdims: 0 }),
    [node('Unsqueeze', ['flat', 'axes'], 'p'), node('Sub', ['p', 'x'], 'y')],
    [shape('axes', 2, 3)],
  ),
  'the mean of pixels in one axis': withPixel(
    node('Reshape', ['x', 'rows'], 'lines'),
    [
      node('ReduceMean', ['lines'], 'flat', { axes: [2], keepdims: 0 }),
      node('Reshape', ['flat', 'pixel'], 'p'),
      node('Sub', ['x', 'p'], 'y'),
    ],
    [shape('rows', 1, 4, -1), shape('pixel', 1, 4, 1, 1)],
  ),
  'between the least and the largest': withPixel(
    node('ReduceMin', ['x'], 'least', { axes: [2, 3] }),
    [
      node('ReduceMax', ['x'], 'most', { axes: [2, 3] }),
      node('Add', ['least', 'most'], 'sum'),
      node('Mul', ['sum', 'half'], 'middle'),
      node('Sub', ['x', 'middle'], 'y'),
    ],
    [number('half', 0.5)],
  ),
  'one gate for all channels': withPixel(
    mean,
    [node('Conv', ['p', 'w'], 'e'), node('Sigmoid', ['e'], 'gate'), node('Mul', ['gate', 'x'], 'y')],
    [weights('w', [1, 4, 1, 1], 3)],
  ),
  'the gate of a part that a convolution made smaller': withPixel(
    node('Conv', ['x', 'down'], 'h', { strides: [2, 2] }),
    [
      node('GlobalAveragePool', ['h'], 'p'),
      ...excited,
      node('Mul', ['h', 'gate'], 'z'),
      node('ConvTranspose', ['z', 'up'], 'y', { strides: [2, 2] }),
    ],
    [weights('down', [4, 4, 2, 2], 2), weights('up', [4, 4, 2, 2], 1), ...squeezed],
  ),
  'means of the image beside its values': withPixel(
    mean,
    [
      node('Relu', ['p'], 'r'),
      node('Resize', ['r', '', '', 'large'], 'map', { mode: 'linear' }),
      node('Concat', ['x', 'map'], 'y', { axis: 1 }),
    ],
    [shape('large', 1, 4, side, side)],
    8,
  ),
  InstanceNormalization: around(
    [4, 4],
    [node('InstanceNormalization', ['x', 'gains', 'offsets'], 'y', { epsilon: { float: 1e-4 } })],
    [gains, offsets],
  ),
  'GroupNormalization, written out': around(
    [4, 4],
    [
      node('Reshape', ['x', 'groups'], 'g'),
      node('InstanceNormalization', ['g', 'ones', 'zeros'], 'n'),
      node('Reshape', ['n', 'image'], 'z'),
      node('Mul', ['z', 'gains'], 'm'),
      node('Add', ['m', 'offsets'], 'a'),
      node('Relu', ['a'], 'y'),
    ],
    [
      shape('groups', 1, 2, -1),
      list('ones', [1, 1]),
      list('zeros', [0, 0]),
      shape('image', 1, 4, side, side),
      list('gains', gains.values as number[], [4, 1, 1]),
      list('offsets', offsets.values as number[], [4, 1, 1]),
    ],
  ),
  'GroupNormalization of groups': {
    ...around(
      [4, 4],
      [node('GroupNormalization', ['x', 'two', 'others'], 'y', { num_groups: 2 })],
      [list('two', [1.5, -1]), list('others', [0.5, 0])],
    ),
    opset: 18,
  },
  'GroupNormalization of channels': {
    ...around(
      [4, 4],
      [node('GroupNormalization', ['x', 'gains', 'offsets'], 'y', { num_groups: 1 })],
      [gains, offsets],
    ),
    opset: 21,
  },
  'LayerNormalization of channels': {
    ...around(
      [4, 4],
      [
        node('Transpose', ['x'], 'last', { perm: [0, 2, 3, 1] }),
        node('LayerNormalization', ['last', 'gains', 'offsets'], 'n', { epsilon: { float: 0.01 } }),
        node('MatMul', ['n', 'w'], 'm'),
        node('Transpose', ['m'], 'y', { perm: [0, 3, 1, 2] }),
      ],
      [gains, offsets, weights('w', [4, 4], 1)],
    ),
    opset: 17,
  },
  'the same, written out, channels last': around(
    [4, 4],
    [
      node('Transpose', ['x'], 'last', { perm: [0, 2, 3, 1] }),
      node('ReduceMean', ['last'], 'mean', { axes: [-1] }),
      node('Sub', ['last', 'mean'], 'centred'),
      node('Mul', ['centred', 'centred'], 'square'),
      node('ReduceMean', ['square'], 'variance', { axes: [3] }),
      node('Add', ['variance', 'epsilon'], 'positive'),
      node('Sqrt', ['positive'], 'deviation'),
      node('Div', ['centred', 'deviation'], 'n'),
      node('Mul', ['n', 'gains'], 'm'),
      node('Transpose', ['m'], 'y', { perm: [0, 3, 1, 2] }),
    ],
    [number('epsilon', 0.01), gains],
  ),
};

const refusalOf = (file: FileFields): DenoiseError => {
  try {
    lowerOnnx(readGraph(onnxFile(file)));
  } catch (error) {
    return error as DenoiseError;
  }
  throw new Error('it was taken');
};

describe('what looks at the whole image, against onnxruntime', () => {
  testAgainstOnnxRuntime(cases);

  test('one pixel as large as a map goes into sums, products and Concat, and into nothing else', () => {
    const file = withPixel(
      mean,
      [node('Expand', ['p', 'large'], 'map'), node('Conv', ['map', 'w'], 'y', { pads: [1, 1, 1, 1] })],
      [shape('large', 1, 4, side, side), weights('w', [4, 4, 3, 3], 1)],
    );
    expect(refusalOf(file)).toMatchObject({
      code: 'ONNX_UNSUPPORTED',
      details: { operator: 'Conv', supported: expect.stringContaining('sums, products and Concat') },
    });
  });

  test.each([
    ['Pad', node('Pad', ['p', 'pads'], 'q'), [shape('pads', 0, 0, 1, 1, 0, 0, 1, 1)]],
    [
      'ConvTranspose',
      node('ConvTranspose', ['p', 'w'], 'q', { strides: [2, 2] }),
      [weights('w', [4, 4, 2, 2], 1)],
    ],
    [
      'Conv with pads',
      node('Conv', ['p', 'w'], 'q', { pads: [1, 1, 1, 1] }),
      [weights('w', [4, 4, 1, 1], 1)],
    ],
  ])('%s of one pixel is refused', (_, growing, tensors) => {
    const back = [node('GlobalAveragePool', ['q'], 'r'), node('Mul', ['x', 'r'], 'y')];
    expect(refusalOf(withPixel(mean, [growing, ...back], tensors))).toMatchObject({
      code: 'ONNX_UNSUPPORTED',
      details: { supported: expect.stringContaining('one pixel') },
    });
  });

  test('sums of all pixels depend on how many there are', () => {
    const file = withPixel(
      node('ReduceSum', ['x', 'axes'], 'p'),
      [node('Sub', ['x', 'p'], 'y')],
      [shape('axes', 2, 3)],
    );
    expect(refusalOf(file)).toMatchObject({ code: 'ONNX_UNSUPPORTED', details: { operator: 'ReduceSum' } });
  });

  test.each([
    ['groups', 3, [gains, offsets]],
    ['scales', 2, [list('gains', [1, 1, 1]), list('offsets', [0, 0, 0])]],
  ])('GroupNormalization with %s that do not fit', (_, groups, tensors) => {
    const file = around(
      [4, 4],
      [node('GroupNormalization', ['x', 'gains', 'offsets'], 'y', { num_groups: groups })],
      tensors,
    );
    expect(refusalOf({ ...file, opset: 21 })).toMatchObject({ code: 'ONNX_INVALID' });
  });
});
