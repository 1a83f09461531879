import { DenoiseError } from '@cipherdose/sdk/errors';
import { limits } from '@cipherdose/sdk/protocol';
import { decodeModel } from './decode-model.ts';
import type { AttributeProto, NodeProto, ValueInfoProto } from './onnx-schema.ts';
import { readTensor, type Tensor } from './tensor.ts';

/** One operator of the graph. */
export interface OnnxNode {
  readonly operator: string;
  /** As the file names it, or its place in the file. */
  readonly name: string;
  /** Names of values; '' where an optional input is left out. */
  readonly inputs: readonly string[];
  readonly output: string;
  /** All of them, '' where one is left out; `output` is the first. */
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, AttributeProto>;
}

/**
 * Domain of operators that ONNX does not have. A file brings them as functions too, made of operators of ONNX, for those
 * who do not know them; import does not look at these.
 */
const ownDomain = 'cipherdose';
/** Non-local means, as its node is called here. */
export const nonLocalMeansOperator = `${ownDomain}.NonLocalMeans`;
/** The same where the patches of another value are compared. */
export const guidedNonLocalMeansOperator = `${ownDomain}.GuidedNonLocalMeans`;
/** A convolution of the client, whose weights are public. */
export const publicConvolutionOperator = `${ownDomain}.PublicConv`;
const ownOperators: readonly string[] = [
  nonLocalMeansOperator,
  guidedNonLocalMeansOperator,
  publicConvolutionOperator,
];

/** A checked graph with one image in and one out. */
export interface OnnxGraph {
  /** Version of the operators. */
  readonly opset: number;
  readonly nodes: readonly OnnxNode[];
  readonly constants: ReadonlyMap<string, Tensor>;
  readonly input: {
    readonly name: string;
    readonly height: number;
    readonly width: number;
    /** [1, rows, columns, 1] in place of [1, 1, rows, columns]. */
    readonly channelsLast: boolean;
  };
  readonly output: string;
}

const mostNodes = 4096;
const firstOpset = 7;
/** Side that a graph with open sizes is traced with. */
const tracedSide = 512;

/**
 * Reads an ONNX file as a graph of one input [1, 1, rows, columns] and one output.
 * @throws ONNX_INVALID, ONNX_UNSUPPORTED
 */
export function readGraph(bytes: Uint8Array): OnnxGraph {
  const { graph, opsetImport } = decodeModel(bytes);
  if (!graph || graph.node.length === 0)
    throw new DenoiseError('ONNX_INVALID', { reason: 'there is no graph' });
  if (graph.node.length > mostNodes)
    throw new DenoiseError('ONNX_INVALID', { nodes: graph.node.length, most: mostNodes });
  if (graph.sparseInitializer.length > 0)
    throw new DenoiseError('ONNX_UNSUPPORTED', {
      operator: 'sparse initializer',
      supported: 'dense initializers',
    });
  const opset = opsetImport.find(({ domain }) => isDefaultDomain(domain))?.version ?? 0;
  if (opset < firstOpset)
    throw new DenoiseError('ONNX_UNSUPPORTED', { opset, supported: `opset ${firstOpset} or later` });
  const constants = new Map<string, Tensor>();
  for (const tensor of graph.initializer) {
    const name = tensor.name ?? '';
    if (constants.has(name))
      throw new DenoiseError('ONNX_INVALID', { tensor: name, reason: 'the name is given twice' });
    constants.set(name, readTensor(tensor, name));
  }
  const inputs = graph.input.filter(({ name }) => !constants.has(name ?? ''));
  const [input, ...otherInputs] = inputs;
  const [output, ...otherOutputs] = graph.output;
  if (!input || !output || otherInputs.length > 0 || otherOutputs.length > 0)
    throw new DenoiseError('ONNX_UNSUPPORTED', {
      inputs: inputs.length,
      outputs: graph.output.length,
      supported: 'one image in, one image out',
    });
  return {
    opset,
    nodes: graph.node.map(readNode),
    constants,
    input: { name: input.name ?? '', ...imageSize(input) },
    output: output.name ?? '',
  };
}

const isDefaultDomain = (domain: string | undefined): boolean => !domain || domain === 'ai.onnx';

function readNode(proto: NodeProto, index: number): OnnxNode {
  const standard = isDefaultDomain(proto.domain);
  const operator = `${standard ? '' : `${proto.domain ?? ''}.`}${proto.opType ?? ''}`;
  const name = proto.name || `node ${index}`;
  if (!standard && !ownOperators.includes(operator))
    throw new DenoiseError('ONNX_UNSUPPORTED', {
      operator,
      node: name,
      supported: `operators of ai.onnx, and ${ownOperators.join(', ')}`,
    });
  const [output] = proto.output;
  if (!output) throw new DenoiseError('ONNX_INVALID', { operator, node: name, reason: 'it has no output' });
  const attributes = new Map(proto.attribute.map((attribute) => [attribute.name ?? '', attribute]));
  return { operator, name, inputs: proto.input, output, outputs: proto.output, attributes };
}

function imageSize(info: ValueInfoProto): Omit<OnnxGraph['input'], 'name'> {
  const dims = info.type?.tensorType?.shape?.dim.map(({ dimValue }) => dimValue ?? 0) ?? [];
  const channelsLast = dims.length === 4 && dims[1] !== 1 && dims[3] === 1;
  const [batch, channels, height, width] = (channelsLast ? [dims[0], 1, dims[1], dims[2]] : dims) as [
    number,
    number,
    number,
    number,
  ];
  const sane =
    dims.length === 4 &&
    batch <= 1 &&
    channels === 1 &&
    [height, width].every((side) => side <= limits.imageSide);
  if (!sane || Math.min(...dims) < 0)
    throw new DenoiseError('ONNX_INVALID', {
      input: info.name ?? '',
      dims: dims.join('x'),
      expected: '1x1xHxW, H and W fixed or open',
    });
  return { height: height || tracedSide, width: width || tracedSide, channelsLast };
}
