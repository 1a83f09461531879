import { describe, expect, test } from '@jest/globals';
import type { FileFields, NodeFields } from '../support/onnx-file.ts';
import {
  around,
  list,
  lowered,
  node,
  shape,
  side,
  testAgainstOnnxRuntime,
  unary,
  weights,
} from '../support/operator-networks.ts';

/** Every so many rows (axis 2) or columns (axis 3), from `first` on. */
const every = (from: string, to: string, axis: 2 | 3, first: number, step = 2): NodeFields =>
  node('Slice', [from, `at${first}`, 'end', `axis${axis}`, `by${step}`], to);
const places = [
  ...[0, 1, 2, 5].map((first) => shape(`at${first}`, first)),
  ...[2, 3].map((axis) => shape(`axis${axis}`, axis)),
  ...[2, 3].map((step) => shape(`by${step}`, step)),
  shape('end', 2 ** 31),
];
/** Four maps of half the size, as networks with wavelets and Focus layers write it. */
const quarters = (from: string): NodeFields[] =>
  [0, 1].flatMap((row) => [
    every(from, `rows${row}`, 2, row),
    ...[0, 1].map((column) => every(`rows${row}`, `quarter${row}${column}`, 3, column)),
  ]);
const quarterNames = ['quarter00', 'quarter10', 'quarter01', 'quarter11'];
const smallAndLarge = (strides: [number, number], kernel: [number, number]): FileFields =>
  around(
    [3, 2],
    [
      node('Conv', ['x', 'down'], 'small', { strides }),
      node('Relu', ['small'], 'r'),
      node('ConvTranspose', ['r', 'up', 'b'], 'y', { strides }),
    ],
    [weights('down', [4, 3, ...kernel], 1), weights('up', [4, 2, ...kernel], 1), list('b', [0.2, -0.1])],
  );
const average = (attributes: NodeFields['attributes']): FileFields => unary('AveragePool', attributes);
const averageAndBack = (attributes: NodeFields['attributes']): FileFields =>
  around(
    [3, 3],
    [
      node('AveragePool', ['x'], 'p', attributes),
      node('Resize', ['p', '', 'scales'], 'y', {
        mode: 'nearest',
        coordinate_transformation_mode: 'asymmetric',
        nearest_mode: 'floor',
      }),
    ],
    [list('scales', [1, 1, 2, 2])],
  );

describe('strides of their own for rows and columns', () => {
  testAgainstOnnxRuntime({
    'a convolution and a transposed one, rows only': smallAndLarge([2, 1], [2, 1]),
    'columns only, kernels larger than the stride': around(
      [3, 2],
      [
        node('Conv', ['x', 'down'], 'small', { strides: [1, 2], pads: [1, 1, 1, 1] }),
        node('ConvTranspose', ['small', 'up'], 'y', {
          strides: [1, 2],
          pads: [1, 1, 1, 1],
          output_padding: [0, 1],
        }),
      ],
      [weights('down', [3, 3, 3, 3], 1), weights('up', [3, 2, 3, 3], 1)],
    ),
    'three and two': smallAndLarge([3, 2], [3, 2]),
    'rows first, columns later, and back in one': around(
      [3, 2],
      [
        node('Conv', ['x', 'first'], 'half', { strides: [2, 1] }),
        node('Conv', ['half', 'second'], 'small', { strides: [1, 2] }),
        node('ConvTranspose', ['small', 'up'], 'y', { strides: [2, 2] }),
      ],
      [weights('first', [3, 3, 2, 1], 1), weights('second', [3, 3, 1, 2], 1), weights('up', [3, 2, 2, 2], 1)],
    ),
    'a largest value of rows, repeated': around(
      [3, 3],
      [
        node('MaxPool', ['x'], 'p', { kernel_shape: [2, 3], strides: [2, 1], pads: [0, 1, 0, 1] }),
        node('Resize', ['p', '', 'scales'], 'y', {
          mode: 'nearest',
          coordinate_transformation_mode: 'asymmetric',
          nearest_mode: 'floor',
        }),
      ],
      [list('scales', [1, 1, 2, 1])],
    ),
    'a shuffle of columns by Reshape and Transpose, and back': around(
      [2, 2],
      [
        node('Reshape', ['x', 'split'], 'a'),
        node('Transpose', ['a'], 'b', { perm: [0, 1, 4, 2, 3] }),
        node('Reshape', ['b', 'deep'], 'c'),
        node('Conv', ['c', 'w'], 'd'),
        node('Reshape', ['d', 'apart'], 'e'),
        node('Transpose', ['e'], 'f', { perm: [0, 1, 3, 4, 2] }),
        node('Reshape', ['f', 'whole'], 'y'),
      ],
      [
        shape('split', 1, 2, side, side / 2, 2),
        shape('deep', 1, 4, side, side / 2),
        weights('w', [4, 4, 1, 1], 1),
        shape('apart', 1, 2, 2, side, side / 2),
        shape('whole', 1, 2, side, side),
      ],
    ),
  });
});

describe('slices in steps', () => {
  testAgainstOnnxRuntime({
    'a Focus layer': around(
      [2, 2],
      [
        ...quarters('x'),
        node('Concat', quarterNames, 'c', { axis: 1 }),
        node('ConvTranspose', ['c', 'up'], 'y', { strides: [2, 2] }),
      ],
      [...places, weights('up', [8, 2, 2, 2], 1)],
    ),
    'a wavelet transform, written out, and its inverse': around(
      [1, 1],
      [
        node('Mul', ['x', 'half'], 'halved'),
        ...quarters('halved'),
        node('Add', ['quarter00', 'quarter10'], 'left'),
        node('Add', ['quarter01', 'quarter11'], 'right'),
        node('Sub', ['quarter10', 'quarter00'], 'downLeft'),
        node('Sub', ['quarter11', 'quarter01'], 'downRight'),
        node('Add', ['left', 'right'], 'low'),
        node('Sub', ['right', 'left'], 'across'),
        node('Add', ['downLeft', 'downRight'], 'down'),
        node('Sub', ['downRight', 'downLeft'], 'both'),
        node('Concat', ['low', 'across', 'down', 'both'], 'bands', { axis: 1 }),
        node('Conv', ['bands', 'mixed'], 'seen'),
        node('ConvTranspose', ['seen', 'haar'], 'y', { strides: [2, 2] }),
      ],
      [
        ...places,
        list('half', [0.5]),
        weights('mixed', [4, 4, 1, 1], 1),
        list(
          'haar',
          [
            [1, 1, 1, 1],
            [-1, 1, -1, 1],
            [-1, -1, 1, 1],
            [1, -1, -1, 1],
          ]
            .flat()
            .map((sign) => sign / 2),
          [4, 1, 2, 2],
        ),
      ],
    ),
    'every third row from the fifth on': around(
      [3, 3],
      [
        every('x', 'third', 2, 5, 3),
        // 7 of the rows 5, 8, ..., 23: three times as many are 21, and three are added.
        node('Resize', ['third', '', 'scales'], 'large', {
          mode: 'nearest',
          coordinate_transformation_mode: 'asymmetric',
          nearest_mode: 'floor',
        }),
        node('Pad', ['large', 'pads'], 'y', { mode: 'edge' }),
      ],
      [...places, list('scales', [1, 1, 3, 1]), shape('pads', 0, 0, 3, 0, 0, 0, 0, 0)],
    ),
    'the last of every three columns': around(
      [3, 2],
      [every('x', 'third', 3, 2, 3), node('ConvTranspose', ['third', 'up'], 'y', { strides: [1, 3] })],
      [...places, weights('up', [3, 2, 1, 3], 1)],
    ),
  });

  test.each([
    ['channels in steps of 0', [0], [3], [1], [0], 'ONNX_INVALID'],
    ['rows in steps of 0', [0], [4], [2], [0], 'ONNX_INVALID'],
    ['rows in half a step', [0], [4], [2], [0.5], 'ONNX_INVALID'],
    ['half a channel', [0.5], [3], [1], [1], 'ONNX_INVALID'],
    ['rows from the last to the first', [-1], [0], [2], [-1], 'ONNX_UNSUPPORTED'],
    ['no rows', [5], [5], [2], [1], 'ONNX_UNSUPPORTED'],
    ['every seventeenth row', [0], [side], [2], [17], 'ONNX_UNSUPPORTED'],
    ['an axis that is not there', [0], [3], [-6], [1], 'ONNX_UNSUPPORTED'],
  ])('of %s are refused', (_, starts, ends, axes, steps, code) => {
    const lists = { starts, ends, axes, steps };
    const fields = around(
      [3, 3],
      [node('Slice', ['x', ...Object.keys(lists)], 'y')],
      Object.entries(lists).map(([name, values]) => list(name, values)),
    );
    expect(() => lowered(fields)).toThrow(expect.objectContaining({ code }));
  });

  test('take a value apart once', () => {
    const fields = around(
      [2, 2],
      [
        ...quarters('x'),
        node('Concat', quarterNames, 'c', { axis: 1 }),
        node('ConvTranspose', ['c', 'up'], 'y', { strides: [2, 2] }),
      ],
      [...places, weights('up', [8, 2, 2, 2], 1)],
    );
    const { nodes } = lowered(fields);
    // Rows once, columns once for each of the two halves.
    expect(nodes.filter(({ op }) => op === 'unshuffle')).toHaveLength(3);
  });
});

describe('means whose padding does not count', () => {
  testAgainstOnnxRuntime({
    'as ONNX has it where nothing is said': average({ kernel_shape: [3, 3], pads: [1, 1, 1, 1] }),
    'more padding at one side': average({ kernel_shape: [4, 2], pads: [1, 0, 2, 1] }),
    auto_pad: average({ kernel_shape: [4, 4], auto_pad: 'SAME_LOWER' }),
    'in steps': averageAndBack({ kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] }),
    'windows that are not full': averageAndBack({ kernel_shape: [3, 3], strides: [2, 2], ceil_mode: 1 }),
    'of functions, one for each channel': around(
      [3, 3],
      [
        node('PRelu', ['x', 'slopes'], 'p'),
        node('AveragePool', ['p'], 'm', { kernel_shape: [5, 5], pads: [2, 2, 2, 2] }),
        node('Mul', ['m', 'm'], 'y'),
      ],
      [list('slopes', [0.1, -0.5, 0.7], [3, 1, 1])],
    ),
  });

  test('with padding that counts, windows that are not full are refused', () => {
    const fields = average({ kernel_shape: [3, 3], strides: [2, 2], ceil_mode: 1, count_include_pad: 1 });
    expect(() => lowered(fields)).toThrow(/count_include_pad 0/);
  });
});
