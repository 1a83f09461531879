import { describe, expect, test } from '@jest/globals';
import { quantise } from '#server/network/quantise.js';
import { lowerOnnx } from '#server/onnx/lower-onnx.js';
import { readGraph } from '#server/onnx/read-graph.js';
import { onnxFile, type FileFields, type NodeFields, type TensorFields } from '../support/onnx-file.ts';
import {
  around,
  list,
  next,
  node,
  number,
  options,
  shape,
  side,
  testAgainstOnnxRuntime,
  unary,
  weights,
} from '../support/operator-networks.ts';

const convolution = (
  dims: readonly number[],
  attributes: NodeFields['attributes'],
  outer = dims[0] as number,
): FileFields => around([4, outer], [node('Conv', ['x', 'w'], 'y', attributes)], [weights('w', dims, 1)]);
/** Half the size, in `p`, and by one operator with `scales` back in `y`. */
const halfAndBack = (operator: NodeFields): FileFields =>
  around(
    [3, 3],
    [node('MaxPool', ['x'], 'p', { kernel_shape: [2, 2], strides: [2, 2] }), operator],
    [list('scales', [1, 1, 2, 2])],
  );
/** Two channels in `a`, two in `b`, and what the case makes of them: `outer` channels in `y`. */
const ofTwoValues = (
  outer: number,
  nodes: readonly NodeFields[],
  tensors: readonly TensorFields[] = [],
): FileFields =>
  around(
    [4, outer],
    [{ ...node('Split', ['x', 'parts'], 'a', { axis: 1 }), moreOutputs: ['b'] }, ...nodes],
    [shape('parts', 2, 2), ...tensors],
  );
const transposed = (
  dims: readonly number[],
  attributes: NodeFields['attributes'],
  down: NodeFields['attributes'],
  groups = 1,
): FileFields => {
  const outer = (dims[1] as number) * groups;
  return around(
    [3, outer],
    [
      node('Conv', ['x', 'down'], 'small', down),
      node('ConvTranspose', ['small', 'w', 'b'], 'y', { group: groups, ...attributes }),
    ],
    [
      weights('down', [dims[0] as number, 3, 2, 2], 1),
      weights('w', dims, 1),
      list(
        'b',
        Array.from({ length: outer }, () => next(-9, 9) / 10),
      ),
    ],
  );
};
const toHalf = { strides: [2, 2] };

const cases: Readonly<Record<string, FileFields>> = {
  'an even kernel, more padding below': convolution([2, 4, 4, 2], { pads: [1, 0, 2, 1] }),
  'depthwise with dilation': convolution([4, 1, 3, 3], { group: 4, dilations: [2, 2], pads: [2, 2, 2, 2] }),
  'groups and auto_pad': convolution([6, 2, 4, 4], { group: 2, auto_pad: 'SAME_UPPER' }),
  'stride 3 and a transposed convolution of it': transposed(
    [3, 2, 3, 3],
    { strides: [3, 3] },
    { strides: [3, 3], pads: [0, 0, 0, 0] },
  ),
  'ConvTranspose 2x2, stride 2': transposed([3, 4, 2, 2], toHalf, toHalf),
  'ConvTranspose 4x4, stride 2, padded': transposed([3, 2, 4, 4], { ...toHalf, pads: [1, 1, 1, 1] }, toHalf),
  'ConvTranspose 3x3, stride 2, output padding': transposed(
    [3, 2, 3, 3],
    { ...toHalf, pads: [1, 1, 1, 1], output_padding: [1, 1] },
    toHalf,
  ),
  'ConvTranspose in groups, dilated': transposed(
    [4, 2, 3, 3],
    { ...toHalf, dilations: [2, 2], pads: [2, 2, 1, 1] },
    toHalf,
    2,
  ),
  'ConvTranspose of stride 1 that undoes a convolution': transposed([3, 2, 2, 2], {}, {}),
  'ConvTranspose with batch normalisation': around(
    [3, 2],
    [
      node('Conv', ['x', 'down'], 'small', toHalf),
      node('ConvTranspose', ['small', 'w'], 'large', toHalf),
      node('BatchNormalization', ['large', 'g', 'b', 'm', 'v'], 'normal'),
      node('Relu', ['normal'], 'y'),
    ],
    [
      weights('down', [3, 3, 2, 2], 1),
      weights('w', [3, 2, 2, 2], 1),
      list('g', [1.5, -0.5]),
      list('b', [0.1, 0.2]),
      list('m', [0.3, -0.1]),
      list('v', [0.5, 2]),
    ],
  ),
  'batch normalisation before a convolution': around(
    [2, 2],
    [
      node('Relu', ['x'], 'r'),
      node('BatchNormalization', ['r', 'g', 'b', 'm', 'v'], 'normal'),
      node('Conv', ['normal', 'w'], 'y', { pads: [1, 1, 1, 1] }),
    ],
    [
      list('g', [1.5, -0.5]),
      list('b', [0.1, 0.2]),
      list('m', [0.3, -0.1]),
      list('v', [0.5, 2]),
      weights('w', [2, 2, 3, 3], 1),
    ],
  ),
  'MatMul over channels last, with a bias and an activation': around(
    [3, 5],
    [
      node('Transpose', ['x'], 't', { perm: [0, 2, 3, 1] }),
      node('MatMul', ['t', 'w'], 'm'),
      node('Add', ['m', 'b'], 'a'),
      node('Relu', ['a'], 'r'),
      node('Transpose', ['r'], 'y', { perm: [0, 3, 1, 2] }),
    ],
    [weights('w', [3, 5], 1), list('b', [0.1, 0.2, -0.3, 0.4, 0])],
  ),
  'MatMul from the left of flattened pixels': around(
    [3, 2],
    [
      node('Reshape', ['x', 's1'], 'flat'),
      node('MatMul', ['w', 'flat'], 'm'),
      node('Reshape', ['m', 's2'], 'y'),
    ],
    [weights('w', [2, 3], 1), shape('s1', 1, 3, -1), shape('s2', 1, 2, side, side)],
  ),
  'Gemm, transposed, with alpha and beta': around(
    [3, 4],
    [
      node('Transpose', ['x'], 't', { perm: [0, 2, 3, 1] }),
      node('Reshape', ['t', 's1'], 'rows'),
      node('Gemm', ['rows', 'w', 'b'], 'g', { alpha: { float: 0.5 }, beta: { float: 2 }, transB: 1 }),
      node('Reshape', ['g', 's2'], 'back'),
      node('Transpose', ['back'], 'y', { perm: [0, 3, 1, 2] }),
    ],
    [
      weights('w', [4, 3], 1),
      list('b', [0.1, 0.2, 0.3, 0.4]),
      shape('s1', -1, 3),
      shape('s2', 1, side, side, 4),
    ],
  ),
  'Concat of a convolution and its rectified value': around(
    [3, 6],
    [node('LeakyRelu', ['x'], 'r', { alpha: { float: 0.2 } }), node('Concat', ['x', 'r'], 'y', { axis: 1 })],
  ),
  'Concat that is added to and squared': around(
    [2, 4],
    [
      node('Relu', ['x'], 'r'),
      node('Conv', ['r', 'w'], 'c', { pads: [1, 1, 1, 1] }),
      node('Concat', ['r', 'c'], 'both', { axis: -3 }),
      node('Mul', ['both', 'both'], 'square'),
      node('Add', ['square', 'both'], 'y'),
    ],
    [weights('w', [2, 2, 3, 3], 1)],
  ),
  'skips of two depths': around(
    [3, 3],
    [
      node('Relu', ['x'], 'r'),
      node('Conv', ['r', 'w'], 'c', { pads: [1, 1, 1, 1] }),
      node('Relu', ['c'], 'q'),
      node('Sub', ['q', 'r'], 'd'),
      node('Sum', ['d', 'x', 'c'], 'y'),
    ],
    [weights('w', [3, 3, 3, 3], 1)],
  ),
  'MaxPool and nearest Resize': halfAndBack(
    node('Resize', ['p', '', 'scales'], 'y', {
      mode: 'nearest',
      coordinate_transformation_mode: 'asymmetric',
      nearest_mode: 'floor',
    }),
  ),
  'MaxPool and Resize of opset 10': {
    ...halfAndBack(node('Resize', ['p', 'scales'], 'y', { mode: 'nearest' })),
    opset: 10,
  },
  'MaxPool and Upsample': {
    ...halfAndBack(node('Upsample', ['p', 'scales'], 'y', { mode: 'nearest' })),
    opset: 9,
  },
  'MaxPool with padding, stride 1': unary('MaxPool', { kernel_shape: [3, 3], pads: [1, 1, 1, 1] }),
  'AveragePool with padding that counts': unary('AveragePool', {
    kernel_shape: [3, 3],
    pads: [1, 1, 1, 1],
    count_include_pad: 1,
  }),
  'AveragePool and DepthToSpace': around(
    [8, 2],
    [
      node('AveragePool', ['x'], 'p', { kernel_shape: [2, 2], strides: [2, 2] }),
      node('DepthToSpace', ['p'], 'y', { blocksize: 2, mode: 'DCR' }),
    ],
  ),
  'SpaceToDepth of several channels': around(
    [2, 2],
    [
      node('Relu', ['x'], 'r'),
      node('SpaceToDepth', ['r'], 's', { blocksize: 2 }),
      node('Conv', ['s', 'w'], 'c'),
      node('DepthToSpace', ['c'], 'y', { blocksize: 2, mode: 'CRD' }),
    ],
    [weights('w', [8, 8, 1, 1], 1)],
  ),
  'channels that change places, and some that are left out': around(
    [4, 3],
    [
      node('Reshape', ['x', 's1'], 'a'),
      node('Transpose', ['a'], 'b', { perm: [0, 2, 1, 3, 4] }),
      node('Reshape', ['b', 's2'], 'c'),
      node('Slice', ['c', 'from', 'to', 'axis'], 'y'),
    ],
    [
      shape('s1', 1, 2, 2, side, side),
      shape('s2', 1, 4, side, side),
      shape('from', 1),
      shape('to', 4),
      shape('axis', 1),
    ],
  ),
  'Split in three, and joined in another order': around(
    [5, 5],
    [
      { ...node('Split', ['x', 'parts'], 'a', { axis: 1 }), moreOutputs: ['b', 'c'] },
      node('Relu', ['b'], 'r'),
      node('Concat', ['c', 'r', 'a'], 'y', { axis: 1 }),
    ],
    [shape('parts', 1, 2, 2)],
  ),
  'half of the channels, counted in whole numbers': around(
    [5, 2],
    [
      node('Shape', ['x'], 'dims'),
      node('Gather', ['dims', 'one'], 'count'),
      node('Div', ['count', 'two'], 'half'),
      node('Slice', ['x', 'zero', 'half', 'axis'], 'y'),
    ],
    [shape('one', 1), shape('two', 2), shape('zero', 0), shape('axis', 1)],
  ),
  'MaxPool and bilinear Resize': halfAndBack(
    node('Resize', ['p', '', 'scales'], 'y', {
      mode: 'linear',
      coordinate_transformation_mode: 'half_pixel',
    }),
  ),
  'softsign written out': around(
    [3, 3],
    [node('Abs', ['x'], 'a'), node('Add', ['a', 'one'], 'b'), node('Div', ['x', 'b'], 'y')],
    [number('one', 1)],
  ),
  'the logarithm of a sigmoid': around([3, 3], [node('Sigmoid', ['x'], 's'), node('Log', ['s'], 'y')]),
  'reflected edges, cut off again': around(
    [2, 2],
    [
      node('Pad', ['x', 'pads'], 'p', { mode: 'reflect' }),
      node('Conv', ['p', 'w'], 'c'),
      node('Relu', ['c'], 'r'),
      node('Slice', ['r', 'from', 'to', 'axes'], 'y'),
    ],
    [
      shape('pads', 0, 0, 2, 3, 0, 0, 2, 3),
      weights('w', [2, 2, 3, 5], 1),
      shape('from', 1, 1),
      shape('to', -1, -1),
      shape('axes', 2, 3),
    ],
  ),
  'repeated edges': around(
    [2, 2],
    [node('Pad', ['x', 'pads'], 'p', { mode: 'edge' }), node('Conv', ['p', 'w'], 'y')],
    [shape('pads', 0, 0, 1, 1, 0, 0, 1, 1), weights('w', [2, 2, 3, 3], 1)],
  ),
  "zeros around that are not the convolution's own": around(
    [2, 2],
    [node('Pad', ['x', 'pads'], 'p'), node('Conv', ['p', 'w'], 'y')],
    [shape('pads', 0, 0, 1, 1, 0, 0, 1, 1), weights('w', [2, 2, 3, 3], 1)],
  ),
  HardSwish: { ...unary('HardSwish'), opset: 14 },
  'swish written out': around([3, 3], [node('Sigmoid', ['x'], 's'), node('Mul', ['x', 's'], 'y')]),
  'hard swish written out': around(
    [3, 3],
    [
      node('Add', ['x', 'three'], 'a'),
      node('Clip', ['a', 'zero', 'six'], 'c'),
      node('Mul', ['x', 'c'], 'm'),
      node('Div', ['m', 'six'], 'y'),
    ],
    [number('three', 3), number('zero', 0), number('six', 6)],
  ),
  'Gelu written out': around(
    [3, 3],
    [
      node('Div', ['x', 'root'], 'd'),
      node('Erf', ['d'], 'e'),
      node('Add', ['e', 'one'], 'a'),
      node('Mul', ['x', 'a'], 'm'),
      node('Mul', ['m', 'half'], 'y'),
    ],
    [number('root', Math.SQRT2), number('one', 1), number('half', 0.5)],
  ),
  'swish after batch normalisation': around(
    [2, 2],
    [
      node('BatchNormalization', ['x', 'g', 'b', 'm', 'v'], 'n'),
      node('Sigmoid', ['n'], 's'),
      node('Mul', ['s', 'n'], 'y'),
    ],
    [list('g', [1.5, 0.5]), list('b', [0.1, 0.2]), list('m', [0.3, -0.1]), list('v', [0.5, 2])],
  ),
  HardSigmoid: unary('HardSigmoid'),
  Elu: unary('Elu', { alpha: { float: 0.7 } }),
  Celu: unary('Celu'),
  Selu: unary('Selu'),
  Softplus: unary('Softplus'),
  Softsign: unary('Softsign'),
  Tanh: unary('Tanh'),
  Abs: unary('Abs'),
  Erf: unary('Erf'),
  ThresholdedRelu: unary('ThresholdedRelu', { alpha: { float: 0.5 } }),
  'a third power': around([2, 2], [node('Pow', ['x', 'three'], 'y')], [number('three', 3)]),
  'Max and Min': around(
    [2, 2],
    [node('Max', ['x', 'low'], 'a'), node('Min', ['high', 'a'], 'y')],
    [number('low', -0.5), number('high', 0.75)],
  ),
  'Max and Min of two values': ofTwoValues(4, [
    node('Max', ['a', 'b'], 'most'),
    node('Min', ['a', 'b'], 'least'),
    node('Concat', ['least', 'most'], 'y', { axis: 1 }),
  ]),
  'Max of a value and a part of it': around(
    [3, 3],
    [node('Mul', ['x', 'part'], 'a'), node('Max', ['x', 'a'], 'y')],
    [number('part', 0.1)],
  ),
  'a gate: the product of two values': ofTwoValues(2, [
    node('Sigmoid', ['b'], 'open'),
    node('Mul', ['a', 'open'], 'y'),
  ]),
  'attention: one channel times every other one': around(
    [3, 3],
    [node('Conv', ['x', 'w'], 'a'), node('Sigmoid', ['a'], 's'), node('Mul', ['s', 'x'], 'y')],
    [weights('w', [1, 3, 1, 1], 2)],
  ),
  'one channel added to every other one': around(
    [3, 3],
    [node('Conv', ['x', 'w'], 'a'), node('Sub', ['x', 'a'], 'y')],
    [weights('w', [1, 3, 1, 1], 1)],
  ),
  'the quotient of two values': ofTwoValues(
    2,
    [node('Abs', ['b'], 'size'), node('Add', ['size', 'half'], 'over'), node('Div', ['a', 'over'], 'y')],
    [number('half', 0.5)],
  ),
  'one number for each channel over a value': around(
    [2, 2],
    [node('Abs', ['x'], 'a'), node('Add', ['a', 'one'], 'over'), node('Div', ['c', 'over'], 'y')],
    [number('one', 1), list('c', [1, -2], [2, 1, 1])],
  ),
  'a product of the image itself': around(
    [3, 3],
    [node('Conv', ['x', 'w'], 'a'), node('Mul', ['hu', 'scale'], 'h'), node('Mul', ['a', 'h'], 'y')],
    [weights('w', [3, 3, 1, 1], 1), number('scale', 1 / 500)],
  ),
  'Tile of channels': around([2, 6], [node('Tile', ['x', 'copies'], 'y')], [shape('copies', 1, 3, 1, 1)]),
  'Expand of one channel, to a shape that is chosen': around(
    [1, 3],
    [
      node('Equal', ['asked', 'kept'], 'is'),
      node('Where', ['is', 'ones', 'asked'], 'shape'),
      node('Expand', ['x', 'shape'], 'y'),
    ],
    [shape('asked', -1, 3, -1, -1), shape('kept', -1), shape('ones', 1, 1, 1, 1)],
  ),
  'Expand that changes nothing': around(
    [2, 2],
    [node('Expand', ['x', 'shape'], 'y')],
    [shape('shape', 1, 1, 1)],
  ),
  'ReduceMean and ReduceSum of channels': around(
    [3, 2],
    [
      node('Relu', ['x'], 'r'),
      node('ReduceMean', ['r'], 'mean', { axes: [1] }),
      node('ReduceSum', ['x', 'axis'], 'sum'),
      node('Concat', ['mean', 'sum'], 'y', { axis: 1 }),
    ],
    [shape('axis', -3)],
  ),
  'ReduceMax and ReduceMin of channels': around(
    [5, 2],
    [
      node('ReduceMax', ['x'], 'most', { axes: [1] }),
      node('ReduceMin', ['x'], 'least', { axes: [-3] }),
      node('Concat', ['most', 'least'], 'y', { axis: 1 }),
    ],
  ),
  'normalisation of the channels of each pixel': around(
    [4, 4],
    [
      node('Relu', ['x'], 'r'),
      node('ReduceMean', ['r'], 'mean', { axes: [1] }),
      node('Sub', ['r', 'mean'], 'centred'),
      node('Pow', ['centred', 'two'], 'squares'),
      node('ReduceMean', ['squares'], 'variance', { axes: [1] }),
      node('Add', ['variance', 'epsilon'], 'positive'),
      node('Sqrt', ['positive'], 'deviation'),
      node('Div', ['centred', 'deviation'], 'normal'),
      node('Mul', ['normal', 'gain'], 'y'),
    ],
    [number('two', 2), number('epsilon', 1e-3), list('gain', [1, 0.5, 2, -1], [4, 1, 1])],
  ),
  'what is above 0, copied, scaled and moved in from zeros': around(
    [3, 3],
    [
      node('Relu', ['x'], 'r'),
      node('ReduceMean', ['r'], 'mean', { axes: [1] }),
      node('Add', ['mean', 'half'], 'positive'),
      node('Pad', ['positive', 'down'], 'moved'),
      node('Tile', ['moved', 'copies'], 'three'),
      node('Mul', ['three', 'third'], 'scaled'),
      node('Mul', ['x', 'scaled'], 'y'),
    ],
    [
      number('half', 2),
      number('third', 1 / 3),
      shape('down', 0, 0, 9, 0, 0, 0, -9, 0),
      shape('copies', 1, 3, 1, 1),
    ],
  ),
  'pads that are computed from shapes of constants': around(
    [2, 2],
    [
      node('Shape', ['sides'], 'count'),
      node('Sub', ['eight', 'count'], 'left'),
      node('ConstantOfShape', ['left'], 'zeros'),
      node('Cast', ['zeros'], 'none', { to: 7 }),
      node('Concat', ['none', 'sides'], 'pads', { axis: 0 }),
      node('Pad', ['x', 'pads'], 'p'),
      node('Conv', ['p', 'w'], 'y', { pads: [1, 1, 0, 0] }),
    ],
    [shape('sides', 0, 0, 1, 1), shape('eight', 8), weights('w', [2, 2, 3, 3], 1)],
  ),
  'a large slope in one channel, a large constant in another': around(
    [2, 2],
    [node('Relu', ['x'], 'r'), node('Mul', ['r', 'slopes'], 'm'), node('Add', ['m', 'constants'], 'y')],
    [list('slopes', [1.9, 0.1], [2, 1, 1]), list('constants', [0, 9], [2, 1, 1])],
  ),
  'a PRelu of each channel': around(
    [3, 3],
    [node('PRelu', ['x', 's'], 'y')],
    [list('s', [0.1, 0.5, -0.2], [3, 1, 1])],
  ),
  'weights that are computed from constants': around(
    [2, 2],
    [
      node('Mul', ['v', 'g'], 'scaled'),
      node('Transpose', ['scaled'], 'w', { perm: [1, 0, 2, 3] }),
      node('Conv', ['x', 'w'], 'y'),
    ],
    [weights('v', [2, 2, 1, 1], 1), list('g', [1.5, 0.5], [2, 1, 1, 1])],
  ),
  'shapes that are computed': around(
    [4, 1],
    [
      node('Shape', ['x'], 'dims'),
      node('Gather', ['dims', 'two'], 'rows'),
      node('Concat', ['front', 'rows', 'rows'], 'shape', { axis: 0 }),
      node('Reshape', ['x', 'shape'], 'a'),
      node('Transpose', ['a'], 'b', { perm: [0, 1, 2, 4, 3] }),
      node('Transpose', ['b'], 'c', { perm: [0, 1, 2, 4, 3] }),
      node('Reshape', ['c', 'back'], 'd'),
      node('Slice', ['d', 'from', 'to', 'axis'], 'y'),
    ],
    [
      shape('two', 2),
      shape('front', 1, 2, 2),
      shape('back', 0, 4, side, side),
      shape('from', 3),
      shape('to', 4),
      shape('axis', 1),
    ],
  ),
};

describe('operators, against onnxruntime', () => {
  testAgainstOnnxRuntime(cases);

  test('a divisor that may be 0 is refused', () => {
    const file = ofTwoValues(2, [node('Div', ['a', 'b'], 'y')]);
    const network = lowerOnnx(readGraph(onnxFile(file)));
    expect(() => quantise(network, options)).toThrow(
      expect.objectContaining({
        code: 'MODEL_INVALID',
        details: expect.objectContaining({ reason: 'a function is not finite everywhere' }),
      }),
    );
  });
});
