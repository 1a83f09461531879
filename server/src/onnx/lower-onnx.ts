import { DenoiseError } from '@cipherdose/sdk/errors';
import { inputsOf, type FloatNetwork, type FloatNode } from '../network/float-network.ts';
import { valueOf, type Expression } from './expression.ts';
import { Lowering, malformed, unsupported, type Meaning } from './lowering.ts';
import { lowerClip, lowerRectifier } from './lower-activation.ts';
import {
  lowerBatchNormalization,
  lowerNegation,
  lowerPower,
  lowerProduct,
  lowerSum,
} from './lower-arithmetic.ts';
import { lowerConvolution } from './lower-convolution.ts';
import { lowerReshape, lowerSpaceDepth, lowerTranspose } from './lower-shuffle.ts';
import { integerOf } from './operands.ts';
import type { OnnxGraph, OnnxNode } from './read-graph.ts';
import { readTensor } from './tensor.ts';

type Lower = (node: OnnxNode, lowering: Lowering) => Meaning;

const value =
  (lower: (node: OnnxNode, lowering: Lowering) => Expression): Lower =>
  (node, lowering) => ({ kind: 'value', value: lower(node, lowering) });

const same: Lower = (node, lowering) => lowering.meaning(node.inputs[0] ?? '', node);

/** Numbers are doubles here, so a cast between types of real numbers changes nothing. */
const cast: Lower = (node, lowering) => {
  if (![1, 10, 11, 16].includes(integerOf(node, 'to', 0)))
    throw unsupported(node, 'a cast to a type of real numbers');
  return same(node, lowering);
};

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
  Add: value(lowerSum),
  BatchNormalization: value(lowerBatchNormalization),
  Cast: cast,
  Clip: value(lowerClip),
  Constant: constant,
  Conv: value(lowerConvolution),
  DepthToSpace: value(lowerSpaceDepth),
  Div: value(lowerProduct),
  Dropout: same,
  Identity: same,
  LeakyRelu: value(lowerRectifier),
  Mul: value(lowerProduct),
  Neg: value(lowerNegation),
  PRelu: value(lowerRectifier),
  Pow: value(lowerPower),
  Relu: value(lowerRectifier),
  Reshape: lowerReshape,
  SpaceToDepth: value(lowerSpaceDepth),
  Sub: value(lowerSum),
  Transpose: lowerTranspose,
};

/**
 * Turns a graph into the nodes that a plan can hold: constants are folded into convolutions, polynomials collected,
 * written-out pixel shuffles recognised.
 * @throws ONNX_INVALID, ONNX_UNSUPPORTED with the operator, its node and what would be supported
 */
export function lowerOnnx(graph: OnnxGraph): FloatNetwork {
  const lowering = new Lowering();
  for (const [name, tensor] of graph.constants) lowering.define(name, { kind: 'constant', tensor });
  const { name, height, width } = graph.input;
  lowering.define(name, { kind: 'value', value: valueOf('image', 1, height, width) });
  for (const node of graph.nodes) {
    const lower = Object.hasOwn(operators, node.operator) ? operators[node.operator] : undefined;
    if (!lower) throw unsupported(node, Object.keys(operators).join(', '));
    lowering.define(node.output, lower(node, lowering));
  }
  const last: OnnxNode = {
    operator: 'output',
    name: graph.output,
    inputs: [],
    output: '',
    attributes: new Map(),
  };
  const output = lowering.meaning(graph.output, last);
  const whole = output.kind === 'value' && output.value.channels === 1;
  if (!whole || output.value.height !== height || output.value.width !== width)
    throw unsupported(last, 'an image of the size of the input');
  const plain = lowering.plain(output.value, last);
  return needed({ nodes: lowering.nodes, output: plain.node });
}

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
  return { nodes, output: network.output };
}
