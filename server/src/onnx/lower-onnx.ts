import { DenoiseError } from '@cipherdose/sdk/errors';
import { blockSides } from '@cipherdose/sdk/image';
import { limits } from '@cipherdose/sdk/protocol';
import { inputsOf, sizedLike, type FloatNetwork, type FloatNode } from '../network/float-network.ts';
import { arranged, meant } from './arrange.ts';
import { valueOf, type Expression } from './expression.ts';
import { foldConstants, foldedOperators, shapeTensor } from './fold-constants.ts';
import { Lowering, malformed, unsupported, type Meaning } from './lowering.ts';
import { functionOperators, lowerClip, lowerFunction, lowerRectifier } from './lower-activation.ts';
import { lowerExtreme, lowerNegation, lowerPower, lowerProduct, lowerSum } from './lower-arithmetic.ts';
import { lowerConcat, lowerCopies } from './lower-concat.ts';
import { lowerConvolution, lowerPublicConvolution } from './lower-convolution.ts';
import { lowerGather } from './lower-gather.ts';
import { lowerMatrixProduct } from './lower-matrix-product.ts';
import { lowerNonLocalMeans } from './lower-non-local-means.ts';
import {
  lowerBatchNormalization,
  lowerGroupNormalization,
  lowerInstanceNormalization,
  lowerLayerNormalization,
} from './lower-normalization.ts';
import { lowerPad } from './lower-pad.ts';
import { lowerGlobalPool, lowerPool } from './lower-pool.ts';
import { lowerReduction } from './lower-reduction.ts';
import { lowerResize } from './lower-resize.ts';
import {
  lowerFlatten,
  lowerReshape,
  lowerSpaceDepth,
  lowerSqueeze,
  lowerTranspose,
} from './lower-shuffle.ts';
import { lowerSlice, lowerSplit } from './lower-slice.ts';
import { lowerSoftmax } from './lower-softmax.ts';
import { lowerTransposedConvolution } from './lower-transposed-convolution.ts';
import { integerOf, viewedAt } from './operands.ts';
import {
  guidedNonLocalMeansOperator,
  nonLocalMeansOperator,
  publicConvolutionOperator,
  type OnnxGraph,
  type OnnxNode,
} from './read-graph.ts';
import { readTensor } from './tensor.ts';
import { dimsOf, sameView, whole } from './view.ts';

type Lower = (node: OnnxNode, lowering: Lowering) => Meaning;

const image =
  (lower: (node: OnnxNode, lowering: Lowering) => Expression): Lower =>
  (node, lowering) =>
    meant(lower(node, lowering));

const same: Lower = (node, lowering) => lowering.meaning(node.inputs[0] ?? '', node);

/** Numbers are doubles here, so a cast between types of real numbers changes nothing. */
const cast: Lower = (node, lowering) => {
  if (![1, 10, 11, 16].includes(integerOf(node, 'to', 0)))
    throw unsupported(node, 'a cast to a type of real numbers');
  return same(node, lowering);
};

const shape: Lower = (node, lowering) => ({
  kind: 'constant',
  tensor: shapeTensor(node, dimsOf(viewedAt(node, 0, lowering).view)),
});

const constant: Lower = (node) => {
  const attribute = node.attributes.get('value');
  const single = node.attributes.get('value_float')?.f ?? node.attributes.get('value_int')?.i;
  const list = node.attributes.get('value_floats')?.floats ?? node.attributes.get('value_ints')?.ints;
  if (attribute?.t) return { kind: 'constant', tensor: readTensor(attribute.t, node.name) };
  if (single !== undefined) return { kind: 'constant', tensor: { dims: [], data: Float64Array.of(single) } };
  if (list) return { kind: 'constant', tensor: { dims: [list.length], data: Float64Array.from(list) } };
  throw malformed(node, 'it has no value');
};

const operators: Readonly<Record<string, Lower>> = {
  ...Object.fromEntries(functionOperators.map((name) => [name, lowerFunction])),
  [nonLocalMeansOperator]: image(lowerNonLocalMeans),
  [guidedNonLocalMeansOperator]: image(lowerNonLocalMeans),
  [publicConvolutionOperator]: image(lowerPublicConvolution),
  Add: lowerSum,
  AveragePool: image(lowerPool),
  BatchNormalization: image(lowerBatchNormalization),
  Cast: cast,
  Clip: lowerClip,
  Concat: lowerConcat,
  Constant: constant,
  Conv: image(lowerConvolution),
  ConvTranspose: image(lowerTransposedConvolution),
  DepthToSpace: lowerSpaceDepth,
  Div: lowerProduct,
  Dropout: same,
  Expand: lowerCopies,
  Flatten: lowerFlatten,
  Gather: lowerGather,
  Gemm: lowerMatrixProduct,
  GlobalAveragePool: image(lowerGlobalPool),
  GlobalMaxPool: image(lowerGlobalPool),
  GroupNormalization: image(lowerGroupNormalization),
  Identity: same,
  InstanceNormalization: lowerInstanceNormalization,
  LayerNormalization: lowerLayerNormalization,
  LeakyRelu: lowerRectifier,
  MatMul: lowerMatrixProduct,
  Max: lowerExtreme,
  MaxPool: image(lowerPool),
  Min: lowerExtreme,
  Mul: lowerProduct,
  Neg: lowerNegation,
  PRelu: lowerRectifier,
  Pad: image(lowerPad),
  Pow: lowerPower,
  ReduceMax: lowerReduction,
  ReduceMean: lowerReduction,
  ReduceMin: lowerReduction,
  ReduceSum: lowerReduction,
  Relu: lowerRectifier,
  Reshape: lowerReshape,
  Resize: lowerResize,
  Shape: shape,
  Slice: image(lowerSlice),
  Softmax: lowerSoftmax,
  SpaceToDepth: lowerSpaceDepth,
  Squeeze: lowerSqueeze,
  Sub: lowerSum,
  Sum: lowerSum,
  Tile: lowerCopies,
  Transpose: lowerTranspose,
  Unsqueeze: lowerSqueeze,
  Upsample: lowerResize,
};

const supportedOperators = [...Object.keys(operators), 'Split'].toSorted().join(', ');

const comparing = 'Clip, LeakyRelu, Max or Min';

/** What does the work of operators that cannot be evaluated. */
const instead: Readonly<Record<string, string>> = {
  Equal: comparing,
  Greater: comparing,
  Less: comparing,
  Where: comparing,
};

/**
 * Turns a graph into the nodes that a plan can hold: constants are folded into convolutions, polynomials and functions
 * collected, written-out pixel shuffles recognised.
 * @throws ONNX_INVALID, ONNX_UNSUPPORTED with the operator, its node and what would be supported
 */
export function lowerOnnx(graph: OnnxGraph): FloatNetwork {
  const lowering = new Lowering(graph.opset);
  for (const [name, tensor] of graph.constants) lowering.define(name, { kind: 'constant', tensor });
  const { name, height, width, channelsLast } = graph.input;
  const input = valueOf('image', 1, height, width);
  const shown = channelsLast ? [[], whole('row', height), whole('column', width), []] : meant(input).view;
  lowering.define(name, { kind: 'value', value: input, view: shown });
  const uses = usesOf(graph);
  for (const node of graph.nodes) {
    if (node.operator === 'Split') {
      lowerSplit(node, lowering).forEach((part, i) => {
        const output = node.outputs[i] ?? '';
        if (output !== '') lowering.define(output, meant(part));
      });
      continue;
    }
    const meaning = lowerNode(node, lowering);
    // What several nodes take is made once, so that all of them mean the same node.
    const folded =
      meaning.kind === 'value' && (uses.get(node.output) ?? 0) > 1
        ? { ...meaning, value: lowering.foldLinear(meaning.value) }
        : meaning;
    lowering.define(node.output, folded);
  }
  const last: OnnxNode = {
    operator: 'output',
    name: graph.output,
    inputs: [],
    output: '',
    outputs: [],
    attributes: new Map(),
  };
  const output = lowering.meaning(graph.output, last);
  if (output.kind !== 'value') throw unsupported(last, 'an image of the size of the input');
  const value = sameView(output.view, shown) ? output.value : arranged(output, last, lowering);
  if (value.channels !== 1 || value.height !== height || value.width !== width)
    throw unsupported(last, 'an image of the size of the input');
  return withMultiple(needed({ nodes: lowering.nodes, output: lowering.plain(value).node }));
}

function lowerNode(node: OnnxNode, lowering: Lowering): Meaning {
  if (foldedOperators.has(node.operator)) {
    const inputs = node.inputs.map((name) => (name === '' ? undefined : lowering.meaning(name, node)));
    const tensors = inputs.map((meaning) => (meaning?.kind === 'constant' ? meaning.tensor : undefined));
    if (inputs.every((meaning) => !meaning || meaning.kind === 'constant') && tensors.some(Boolean)) {
      const tensor = foldConstants(node, tensors);
      lowering.reserveConstant(tensor.data.length);
      return { kind: 'constant', tensor };
    }
  }
  const lower = Object.hasOwn(operators, node.operator) ? operators[node.operator] : undefined;
  if (lower) return lower(node, lowering);
  const hint = Object.hasOwn(instead, node.operator) ? `${instead[node.operator]}; in all: ` : '';
  throw unsupported(node, `${hint}${supportedOperators}`);
}

function usesOf(graph: OnnxGraph): ReadonlyMap<string, number> {
  const uses = new Map([[graph.output, 1]]);
  for (const { inputs } of graph.nodes) for (const name of inputs) uses.set(name, (uses.get(name) ?? 0) + 1);
  return uses;
}

/** Sets what sizes have to divide by, if a stride, a pool or an inner shuffle makes maps smaller. */
function withMultiple(network: FloatNetwork): FloatNetwork {
  const scales = new Map([['image', [1, 1]]]);
  let [multiple, exact] = [1, false];
  for (const node of network.nodes) {
    const inputs = scales.get(sizedLike(node)) ?? [1, 1];
    const factors = blockSides('factor' in node ? node.factor : 1);
    const strides = 'stride' in node ? node.stride : [1, 1];
    const own = inputs.map((input, axis) => {
      const [factor, stride] = [factors[axis] as number, strides[axis] as number];
      const small = node.op === 'globalPool' ? 1 : input * factor * stride;
      const scale = node.op === 'shuffle' ? input / factor : small;
      if (!Number.isInteger(scale))
        throw new DenoiseError('ONNX_UNSUPPORTED', {
          node: node.name,
          supported: 'maps that are no larger than the image',
        });
      const inner = node.op === 'shuffle' ? scale > 1 : node.op === 'unshuffle' && input > 1;
      exact ||= stride > 1 || inner;
      multiple = leastCommonMultiple(multiple, scale);
      return scale;
    });
    scales.set(node.name, own);
  }
  if (!exact) return network;
  if (multiple > limits.imageSide)
    throw new DenoiseError('ONNX_UNSUPPORTED', {
      multiple,
      supported: `strides up to ${limits.imageSide} in all`,
    });
  return { ...network, multiple };
}

const greatestCommonDivisor = (a: number, b: number): number =>
  b === 0 ? a : greatestCommonDivisor(b, a % b);
const leastCommonMultiple = (a: number, b: number): number => (a / greatestCommonDivisor(a, b)) * b;

/** Without the nodes that the output does not depend on. */
function needed(network: FloatNetwork): FloatNetwork {
  const names = new Set([network.output]);
  const nodes: FloatNode[] = [];
  for (const node of network.nodes.toReversed())
    if (names.has(node.name)) {
      nodes.unshift(node);
      for (const input of inputsOf(node)) names.add(input);
    }
  if (!nodes.some((node) => node.op === 'linear'))
    throw new DenoiseError('ONNX_UNSUPPORTED', { supported: 'a network with a convolution' });
  if (nodes.length > limits.planNodes)
    throw new DenoiseError('ONNX_UNSUPPORTED', {
      nodes: nodes.length,
      supported: `${limits.planNodes} steps`,
    });
  return { ...network, nodes };
}
