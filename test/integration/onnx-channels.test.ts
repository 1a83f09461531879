import { describe, expect, test } from '@jest/globals';
import type { FileFields, NodeFields, TensorFields } from '../support/onnx-file.ts';
import {
  around,
  list,
  lowered,
  node,
  number,
  shape,
  side,
  testAgainstOnnxRuntime,
  weights,
} from '../support/operator-networks.ts';

const channelsLast = (nodes: readonly NodeFields[]): NodeFields[] => [
  node('Transpose', ['x'], 'last', { perm: [0, 2, 3, 1] }),
  ...nodes,
  node('Transpose', ['normal'], 'y', { perm: [0, 3, 1, 2] }),
];

describe('Softmax', () => {
  testAgainstOnnxRuntime({
    'of the channels of each pixel': around([5, 5], [node('Softmax', ['x'], 'y', { axis: 1 })]),
    'of two channels, as weights of two maps': around(
      [2, 1],
      [
        node('Conv', ['x', 'w'], 'logits'),
        node('Softmax', ['logits'], 'shares', { axis: -3 }),
        node('Mul', ['x', 'shares'], 'mixed'),
        node('ReduceSum', ['mixed', 'axes'], 'y'),
      ],
      [weights('w', [2, 2, 1, 1], 3), shape('axes', 1)],
    ),
    'of the last axis, which nothing says': around(
      [4, 4],
      channelsLast([node('Softmax', ['last'], 'normal')]),
    ),
    'of a single channel, which becomes 1': around(
      [3, 1],
      [
        node('MaxPool', ['x'], 's', { kernel_shape: [1, 2], strides: [1, 2] }),
        node('ConvTranspose', ['s', 'w'], 'single', { strides: [1, 2] }),
        node('Softmax', ['single'], 'one', { axis: 1 }),
        node('Mul', ['single', 'one'], 'y'),
      ],
      [weights('w', [3, 1, 1, 2], 2)],
    ),
    'of large values': around(
      [3, 3],
      [node('Mul', ['x', 'gain'], 'large'), node('Softmax', ['large'], 'y', { axis: 1 })],
      [number('gain', 60)],
    ),
    'of one pixel of global pooling': around(
      [4, 4],
      [
        node('GlobalAveragePool', ['x'], 'p'),
        node('Mul', ['p', 'gain'], 'logits'),
        node('Softmax', ['logits'], 'shares', { axis: 1 }),
        node('Mul', ['x', 'shares'], 'y'),
      ],
      [number('gain', 20)],
    ),
    'of opset 12, along the last axis': {
      ...around([4, 4], channelsLast([node('Softmax', ['last'], 'normal', { axis: 3 })])),
      opset: 12,
    },
  });

  test('of an axis that is not there is refused', () => {
    const fields = around([3, 3], [node('Softmax', ['x'], 'y', { axis: 4 })]);
    expect(() => lowered(fields)).toThrow(expect.objectContaining({ code: 'ONNX_INVALID' }));
  });

  test.each([
    ['rows', 13, { axis: 2 }],
    ['all of a slice, as opset 12 has it', 12, { axis: 1 }],
    ['all of a slice, which opset 12 does if nothing is said', 12, {}],
  ])('of %s is refused', (_, opset, attributes) => {
    const fields: FileFields = around([3, 3], [node('Softmax', ['x'], 'y', attributes)]);
    expect(() => lowered({ ...fields, opset })).toThrow(/channels as its axis/);
  });
});

/** Two maps of three channels, `a` and `b`, one above the other along an axis of their own. */
const stacked = (axis: number): NodeFields[] => [
  node('Conv', ['x', 'first'], 'a'),
  node('Conv', ['x', 'second'], 'b'),
  ...['a', 'b'].map((name) => node('Unsqueeze', [name, 'axis'], `${name}1`)),
  node('Concat', ['a1', 'b1'], 'both', { axis }),
];
const ofStack = (axis: number): TensorFields[] => [
  weights('first', [3, 3, 1, 1], 1),
  weights('second', [3, 3, 1, 1], 1),
  shape('axis', axis),
];

describe('axes of five dimensions', () => {
  testAgainstOnnxRuntime({
    'maps that are weighed by Softmax, as selective kernels do it': around(
      [3, 3],
      [
        ...stacked(1),
        node('ReduceSum', ['both', 'axis'], 'sum', { keepdims: 0 }),
        node('GlobalAveragePool', ['sum'], 'p'),
        node('Conv', ['p', 'w'], 'logits'),
        node('Reshape', ['logits', 'apart'], 'split'),
        node('Softmax', ['split'], 'shares', { axis: 1 }),
        node('Mul', ['both', 'shares'], 'weighed'),
        node('ReduceSum', ['weighed', 'axis'], 'y', { keepdims: 0 }),
      ],
      [...ofStack(1), weights('w', [6, 3, 1, 1], 9), shape('apart', 1, 2, 3, 1, 1)],
    ),
    'the larger of two maps, stacked behind their channels': around(
      [3, 3],
      [...stacked(2), node('ReduceMax', ['both'], 'y', { axes: [2], keepdims: 0 })],
      ofStack(2),
    ),
    'maps stacked behind their channels, as channels by turns': around(
      [3, 6],
      [...stacked(2), node('Reshape', ['both', 'joined'], 'y')],
      [...ofStack(2), shape('joined', 1, 6, side, side)],
    ),
    'three more on two': around(
      [3, 3],
      [
        ...stacked(1),
        node('Concat', ['both', 'both', 'a1'], 'five', { axis: 1 }),
        node('ReduceMean', ['five'], 'y', { axes: [1], keepdims: 0 }),
      ],
      ofStack(1),
    ),
    'the least and the mean of halves of the channels': around(
      [6, 5],
      [
        node('Reshape', ['x', 'halves'], 'h'),
        node('ReduceMin', ['h'], 'least', { axes: [1], keepdims: 0 }),
        node('ReduceMean', ['h'], 'means', { axes: [2], keepdims: 0 }),
        node('Concat', ['least', 'means'], 'y', { axis: 1 }),
      ],
      [shape('halves', 1, 2, 3, side, side)],
    ),
    'Softmax within groups of channels': around(
      [6, 6],
      [
        node('Reshape', ['x', 'groups'], 'g'),
        node('Softmax', ['g'], 's', { axis: 2 }),
        node('Reshape', ['s', 'joined'], 'y'),
      ],
      [shape('groups', 1, 2, 3, side, side), shape('joined', 1, 6, side, side)],
    ),
    'channels from the last to the first, and every other one': around(
      [5, 5],
      [
        node('Slice', ['x', 'last', 'none', 'channel', 'back'], 'flipped'),
        node('Slice', ['x', 'last', 'one', 'channel', 'twoBack'], 'some'),
        node('Slice', ['flipped', 'zero', 'third', 'channel'], 'three'),
        node('Concat', ['three', 'some'], 'y', { axis: 1 }),
      ],
      [
        ...Object.entries({ last: -1, none: -(2 ** 31), channel: 1, back: -1, one: 0, twoBack: -2 }),
        ...Object.entries({ zero: 0, third: 3 }),
      ].map(([name, value]) => shape(name, value)),
    ),
  });

  test.each([
    ['maps of different channels, stacked', node('Concat', ['both', 'x1'], 'c', { axis: 1 })],
    ['rows from the last to the first', node('Slice', ['x', 'zero', 'none', 'row', 'back'], 'c')],
  ])('%s: refused', (_, last) => {
    const fields = around(
      [4, 4],
      [
        node('Conv', ['x', 'first'], 'a'),
        node('Unsqueeze', ['a', 'axis'], 'both'),
        node('Unsqueeze', ['x', 'axis'], 'x1'),
        last,
        node('Identity', ['c'], 'y'),
      ],
      [
        weights('first', [3, 4, 1, 1], 1),
        shape('axis', 1),
        ...Object.entries({ zero: -1, none: -(2 ** 31), row: 2, back: -1 }).map(([name, value]) =>
          shape(name, value),
        ),
      ],
    );
    expect(() => lowered(fields)).toThrow(expect.objectContaining({ code: 'ONNX_UNSUPPORTED' }));
  });
});

describe('Gather', () => {
  testAgainstOnnxRuntime({
    'of some channels, from both ends': around(
      [4, 3],
      [node('Gather', ['x', 'at'], 'y', { axis: 1 })],
      [shape('at', 2, -1, 0)],
    ),
    'of one channel, whose axis goes': around(
      [3, 1],
      [node('Gather', ['x', 'one'], 'plane', { axis: 1 }), node('Unsqueeze', ['plane', 'axes'], 'y')],
      [{ ...number('one', 1), type: 'int64' }, shape('axes', 1)],
    ),
    'of the last axis': around(
      [3, 2],
      [
        node('Transpose', ['x'], 'last', { perm: [0, 2, 3, 1] }),
        node('Gather', ['last', 'at'], 'some', { axis: -1 }),
        node('Transpose', ['some'], 'y', { perm: [0, 3, 1, 2] }),
      ],
      [shape('at', 2, 1)],
    ),
  });

  test.each([
    ['rows', { axis: 2 }, [0], 'ONNX_UNSUPPORTED'],
    ['a channel that is not there', { axis: 1 }, [3], 'ONNX_INVALID'],
    ['half a channel', { axis: 1 }, [0.5], 'ONNX_INVALID'],
    ['more channels than allowed', { axis: 1 }, Array<number>(5000).fill(0), 'ONNX_INVALID'],
  ])('of %s is refused', (_, attributes, at, code) => {
    const fields = around([3, at.length], [node('Gather', ['x', 'at'], 'y', attributes)], [list('at', at)]);
    expect(() => lowered(fields)).toThrow(expect.objectContaining({ code }));
  });

  test('of a value by a value is refused', () => {
    const fields = around([3, 3], [node('Gather', ['x', 'x'], 'y', { axis: 1 })]);
    expect(() => lowered(fields)).toThrow(/a constant as input 1/);
  });
});

describe('ConvTranspose whose pads are not given', () => {
  const sized = (attributes: NodeFields['attributes'], kernel = 3): FileFields =>
    around(
      [3, 2],
      [
        node('Conv', ['x', 'down'], 'small', { strides: [2, 2] }),
        node('ConvTranspose', ['small', 'up'], 'y', { strides: [2, 2], ...attributes }),
      ],
      [weights('down', [3, 3, 2, 2], 1), weights('up', [3, 2, kernel, kernel], 4)],
    );
  testAgainstOnnxRuntime({
    SAME_UPPER: sized({ auto_pad: 'SAME_UPPER' }),
    SAME_LOWER: sized({ auto_pad: 'SAME_LOWER' }),
    'SAME_UPPER, an even kernel': sized({ auto_pad: 'SAME_UPPER' }, 4),
    VALID: sized({ auto_pad: 'VALID' }, 2),
    'for a shape': sized({ output_shape: [side, side] }),
    'for a shape, more of it above': sized({ output_shape: [side, side], auto_pad: 'SAME_LOWER' }),
    'for a shape, an output padding besides': sized({ output_shape: [side, side], output_padding: [1, 1] }),
  });

  test.each([
    ['a way to pad that is not known', { auto_pad: 'AROUND' }],
    ['a shape without rows', { output_shape: [0, side] }],
    ['a shape below 0', { output_shape: [-side, side] }],
    ['a shape of a million rows', { output_shape: [1e6, side] }],
    ['a shape that is smaller than its kernel leaves', { output_shape: [side - 12, side] }],
    ['an output padding below 0', { output_padding: [-1, 0] }],
  ])('%s is refused', (_, attributes) => {
    expect(() => lowered(sized(attributes))).toThrow(expect.objectContaining({ code: 'ONNX_INVALID' }));
  });
});
