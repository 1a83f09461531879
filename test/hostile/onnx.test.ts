import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { DenoiseError } from '@cipherdose/sdk/errors';
import { lowerOnnx } from '#server/onnx/lower-onnx.js';
import { modelType } from '#server/onnx/onnx-schema.js';
import { readGraph } from '#server/onnx/read-graph.js';
import { meanConvolution, onnxFile, type FileFields, type NodeFields } from '../support/onnx-file.ts';

const convolution = meanConvolution('hu', 'denoised');
const good: FileFields = { nodes: [convolution.node], tensors: convolution.tensors };
const read = (bytes: Uint8Array): unknown => lowerOnnx(readGraph(bytes));

function codeOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof DenoiseError) return error.code;
    throw error;
  }
  return 'none';
}

/** The good file with one tensor or the convolution changed. */
const withWeight = (values: readonly number[], dims: readonly number[] = [1, 1, 3, 3]): FileFields => ({
  ...good,
  tensors: [{ name: 'denoised.weight', dims, values }, ...convolution.tensors.slice(1)],
});
const withAttributes = (attributes: NodeFields['attributes']): FileFields => ({
  ...good,
  nodes: [{ ...convolution.node, ...(attributes ? { attributes } : {}) }],
});
/** One transposed convolution from `hu`. */
const transposed = (dims: readonly number[], attributes: NodeFields['attributes'] = {}): FileFields => ({
  nodes: [{ op: 'ConvTranspose', inputs: ['hu', 'w'], output: 'denoised', attributes }],
  tensors: [{ name: 'w', dims, values: Array<number>(dims.reduce((a, b) => a * b, 1)).fill(1) }],
});
const nine = (value: number): number[] => Array<number>(9).fill(value);

const means = (attributes: NodeFields['attributes'] = {}): NodeFields => ({
  op: 'NonLocalMeans',
  domain: 'cipherdose',
  inputs: ['hu', 'hu'],
  output: 'denoised',
  attributes,
});
const halved: NodeFields = {
  op: 'MaxPool',
  inputs: ['hu'],
  output: 'small',
  attributes: { kernel_shape: [2, 2], strides: [2, 2] },
};
const times = (name: string, values: readonly number[]) =>
  ({ name, dims: [4], values, type: 'int64' }) as const;
const tiled = (copies: readonly number[]): FileFields => ({
  nodes: [{ op: 'Tile', inputs: ['hu', 'copies'], output: 'denoised' }],
  tensors: [times('copies', copies)],
});
/** Half the size and, by one operator, back again; then a convolution. */
const enlarged = (operator: NodeFields): FileFields => ({
  nodes: [halved, operator, { ...convolution.node, inputs: ['large', ...convolution.node.inputs.slice(1)] }],
  tensors: [...convolution.tensors, { name: 'scales', dims: [4], values: [1, 1, 2, 2] }],
});
const withMeans = (attributes: NodeFields['attributes']): FileFields => ({ nodes: [means(attributes)] });

const invalid: Readonly<Record<string, FileFields>> = {
  'no nodes': { nodes: [] },
  'a weight that is not a number': withWeight([...nine(0).slice(1), NaN]),
  'an infinite weight': withWeight([...nine(0).slice(1), Infinity]),
  'weights of another count than their dimensions': withWeight(nine(1).slice(1)),
  'dimensions whose product is huge': withWeight(nine(1), [2 ** 30, 2 ** 30, 3, 3]),
  'a dimension below 0': withWeight(nine(1), [-1, -1, 3, 3]),
  'weights of rank 3': withWeight(nine(1), [1, 3, 3]),
  'weights for other channels': withWeight(Array<number>(18).fill(1), [1, 2, 3, 3]),
  'pads below 0': withAttributes({ pads: [-1, 1, 1, 1] }),
  'two pads': withAttributes({ pads: [1, 1] }),
  'no groups': withAttributes({ group: 0, pads: [1, 1, 1, 1] }),
  'a stride of 0': withAttributes({ strides: [0, 0], pads: [1, 1, 1, 1] }),
  'a kernel larger than the image': {
    ...good,
    inputDims: [1, 1, 2, 2],
    nodes: [{ ...convolution.node, attributes: {} }],
  },
  'an input of rank 3': { ...good, inputDims: [1, 16, 16] },
  'an input of two channels': { ...good, inputDims: [1, 2, 16, 16] },
  'an input as large as a country': { ...good, inputDims: [1, 1, 2 ** 40, 2 ** 40] },
  'a cycle': {
    nodes: [
      { op: 'Add', inputs: ['hu', 'b'], output: 'a' },
      { op: 'Relu', inputs: ['a'], output: 'b' },
      { op: 'Identity', inputs: ['b'], output: 'denoised' },
    ],
  },
  'a node that reads itself': { nodes: [{ op: 'Relu', inputs: ['denoised'], output: 'denoised' }] },
  'an input that is not there': { ...good, nodes: [{ ...convolution.node, inputs: ['hu', 'nothing'] }] },
  'a name given twice': { ...good, nodes: [convolution.node, convolution.node] },
  'a tensor given twice': { ...good, tensors: [...convolution.tensors, ...convolution.tensors] },
  'an output that is not there': { ...good, output: 'elsewhere' },
  'a range upside down': {
    nodes: [
      convolution.node,
      { op: 'Clip', inputs: ['denoised'], output: 'c', attributes: { min: { float: 2 }, max: { float: 1 } } },
    ],
    tensors: convolution.tensors,
    output: 'c',
  },
  'a division by 0': {
    nodes: [convolution.node, { op: 'Div', inputs: ['denoised', 'zero'], output: 'c' }],
    tensors: [...convolution.tensors, { name: 'zero', dims: [], values: [0] }],
    output: 'c',
  },
  'coefficients that overflow': {
    nodes: [
      convolution.node,
      ...Array.from({ length: 12 }, (_, i) => ({
        op: 'Mul',
        inputs: [i ? `m${i - 1}` : 'denoised', 'large'],
        output: `m${i}`,
      })),
    ],
    tensors: [...convolution.tensors, { name: 'large', dims: [], values: [3e38] }],
    output: 'm11',
  },
  'a transposed convolution for other channels': transposed([2, 1, 3, 3]),
  'a transposed convolution that pads more than its kernel': transposed([1, 1, 3, 3], { pads: [5, 5, 5, 5] }),
  'a window that lies in its padding': {
    nodes: [
      {
        op: 'MaxPool',
        inputs: ['hu'],
        output: 'denoised',
        attributes: { kernel_shape: [2, 2], pads: [2, 2, 2, 2] },
      },
    ],
  },
  'a window larger than the image': {
    nodes: [{ op: 'MaxPool', inputs: ['hu'], output: 'denoised', attributes: { kernel_shape: [20, 20] } }],
  },
  'a permutation that is none': {
    nodes: [{ op: 'Transpose', inputs: ['hu'], output: 'denoised', attributes: { perm: [0, 0, 2, 3] } }],
  },
  'a constant that is not a number': {
    nodes: [
      { op: 'Div', inputs: ['zero', 'zero'], output: 'nan' },
      { op: 'Add', inputs: ['hu', 'nan'], output: 'denoised' },
    ],
    tensors: [{ name: 'zero', dims: [], values: [0] }],
  },
  'an index outside its constant': {
    nodes: [
      { op: 'Shape', inputs: ['hu'], output: 'dims' },
      { op: 'Gather', inputs: ['dims', 'far'], output: 'side' },
      { op: 'Reshape', inputs: ['hu', 'side'], output: 'denoised' },
    ],
    tensors: [{ name: 'far', dims: [], values: [2 ** 31], type: 'int64' }],
  },
  'parts that are not all': {
    nodes: [{ op: 'Split', inputs: ['hu', 'parts'], output: 'denoised', attributes: { axis: 1 } }],
    tensors: [{ name: 'parts', dims: [1], values: [2], type: 'int64' }],
  },
  'a mirror wider than the image': {
    nodes: [{ op: 'Pad', inputs: ['hu', 'pads'], output: 'denoised', attributes: { mode: 'reflect' } }],
    tensors: [{ name: 'pads', dims: [8], values: [0, 0, 17, 0, 0, 0, 0, 0], type: 'int64' }],
  },
  'non-local means over an even window': withMeans({ search: 10, patch: 5, strength: { float: 2 } }),
  'non-local means of no patch': withMeans({ search: 11, strength: { float: 2 } }),
  'non-local means without a strength': withMeans({ search: 11, patch: 5 }),
  'non-local means with a deviation of another size': {
    nodes: [halved, { ...means({ search: 11, patch: 5, strength: { float: 2 } }), inputs: ['hu', 'small'] }],
  },
  'guided non-local means without a guide': {
    nodes: [{ ...means({ search: 11, patch: 3, strength: { float: 2 } }), op: 'GuidedNonLocalMeans' }],
  },
  'guided non-local means with a guide of another size': {
    nodes: [
      halved,
      {
        ...means({ search: 11, patch: 3, strength: { float: 2 } }),
        op: 'GuidedNonLocalMeans',
        inputs: ['hu', 'hu', 'small'],
      },
    ],
  },
  'a reshape to nothing': {
    nodes: [{ op: 'Reshape', inputs: ['hu', 'shape'], output: 'denoised' }],
    tensors: [{ name: 'shape', dims: [2], values: [3, -1], type: 'int64' }],
  },
};

const large = (name: string, ...values: number[]) => ({
  name,
  dims: [values.length],
  values,
  type: 'int64' as const,
});
/** `hu` joined with itself again and again. */
const doubled = (times: number): FileFields['nodes'] =>
  Array.from({ length: times }, (_, i) => ({
    op: 'Concat',
    inputs: i === 0 ? ['hu', 'hu'] : [`d${i - 1}`, `d${i - 1}`],
    output: `d${i}`,
    attributes: { axis: 1 },
  }));

const unsupported: Readonly<Record<string, FileFields>> = {
  'an operator that is not known': { nodes: [{ op: 'Hardmax', inputs: ['hu'], output: 'denoised' }] },
  'an operator named like a property of objects': {
    nodes: [{ op: 'constructor', inputs: ['hu'], output: 'denoised' }],
  },
  'another domain': { nodes: [{ op: 'Conv', domain: 'com.example', inputs: ['hu'], output: 'denoised' }] },
  'non-local means of no domain': {
    nodes: [{ op: 'NonLocalMeans', inputs: ['hu', 'hu'], output: 'denoised' }],
  },
  'non-local means over a window too wide': withMeans({ search: 33, patch: 5, strength: { float: 2 } }),
  'non-local means whose table would have no end': withMeans({
    search: 11,
    patch: 5,
    strength: { float: 1e-6 },
  }),
  'non-local means too strong for its table': withMeans({ search: 11, patch: 5, strength: { float: 1e9 } }),
  'a public convolution with more weights than a plan may have': {
    nodes: [
      {
        op: 'PublicConv',
        domain: 'cipherdose',
        inputs: ['hu', 'many'],
        output: 'wide',
        attributes: { pads: [15, 15, 15, 15] },
      },
      { op: 'Conv', inputs: ['wide', 'narrow'], output: 'denoised' },
    ],
    tensors: [
      { name: 'many', dims: [70, 1, 31, 31], values: Array<number>(70 * 961).fill(1) },
      { name: 'narrow', dims: [1, 70, 1, 1], values: Array<number>(70).fill(1) },
    ],
  },
  'public convolutions alone': {
    nodes: [{ ...convolution.node, op: 'PublicConv', domain: 'cipherdose' }],
    tensors: convolution.tensors,
  },
  'an old opset': { ...good, opset: 3 },
  'two inputs': { ...good, inputs: ['hu', 'mask'] },
  'strides that differ': withAttributes({ strides: [1, 2], pads: [1, 1, 1, 1] }),
  'a kernel of 64 taps': withWeight(Array<number>(64).fill(1), [1, 1, 1, 64]),
  'a dilated kernel beyond the limit': withAttributes({ dilations: [20, 20], pads: [20, 20, 20, 20] }),
  'a product of two and of three channels': {
    nodes: [
      { op: 'Tile', inputs: ['hu', 'two'], output: 'a' },
      { op: 'Tile', inputs: ['hu', 'three'], output: 'b' },
      { op: 'Mul', inputs: ['a', 'b'], output: 'denoised' },
    ],
    tensors: [times('two', [1, 2, 1, 1]), times('three', [1, 3, 1, 1])],
  },
  'a power that is not whole': {
    nodes: [convolution.node, { op: 'Pow', inputs: ['denoised', 'exponent'], output: 'c' }],
    tensors: [...convolution.tensors, { name: 'exponent', dims: [], values: [2.5] }],
    output: 'c',
  },
  'an output of another size': { ...good, nodes: [{ ...convolution.node, attributes: {} }] },
  'a transpose of its own': {
    nodes: [{ op: 'Transpose', inputs: ['hu'], output: 'denoised', attributes: { perm: [0, 1, 3, 2] } }],
  },
  'a cubic resize': enlarged({
    ...{ op: 'Resize', inputs: ['small', '', 'scales'], output: 'large', attributes: { mode: 'cubic' } },
  }),
  // Both measure from the corners of pixels, whatever the file's maker thought.
  'a linear resize of opset 10': {
    ...enlarged({
      op: 'Resize',
      inputs: ['small', 'scales'],
      output: 'large',
      attributes: { mode: 'linear' },
    }),
    opset: 10,
  },
  'a linear upsampling': {
    ...enlarged({
      op: 'Upsample',
      inputs: ['small', 'scales'],
      output: 'large',
      attributes: { mode: 'linear' },
    }),
    opset: 9,
  },
  'a mean over rows': {
    nodes: [{ op: 'ReduceMean', inputs: ['hu'], output: 'denoised', attributes: { axes: [2] } }],
  },
  'copies of rows': tiled([1, 1, 2, 1]),
  'copies without end': tiled([1, 2 ** 40, 1, 1]),
  'copies of part of a channel': tiled([1, -2, 1, 1]),
  'the largest of three values': {
    nodes: [{ op: 'Max', inputs: ['hu', 'hu', 'hu'], output: 'denoised' }],
  },
  'a map larger than the image': {
    nodes: [
      convolution.node,
      { op: 'Resize', inputs: ['denoised', '', 'scales'], output: 'l' },
      { op: 'MaxPool', inputs: ['l'], output: 'c', attributes: { kernel_shape: [2, 2], strides: [2, 2] } },
    ],
    tensors: [...convolution.tensors, { name: 'scales', dims: [4], values: [1, 1, 2, 2] }],
    output: 'c',
  },
  'channels doubled without end': { nodes: doubled(40), output: 'd39' },
  'a join along the rows': {
    nodes: [{ op: 'Concat', inputs: ['hu', 'hu'], output: 'denoised', attributes: { axis: 2 } }],
  },
  'a constant of 2^40 zeros': {
    nodes: [
      { op: 'ConstantOfShape', inputs: ['shape'], output: 'zeros' },
      { op: 'Add', inputs: ['hu', 'zeros'], output: 'denoised' },
    ],
    tensors: [large('shape', 2 ** 20, 2 ** 20)],
  },
  'a constant that is spread out': {
    nodes: [
      { op: 'Expand', inputs: ['one', 'shape'], output: 'ones' },
      { op: 'Add', inputs: ['hu', 'ones'], output: 'denoised' },
    ],
    tensors: [{ name: 'one', dims: [], values: [1] }, large('shape', 2 ** 30, 2 ** 30)],
  },
  'a constant doubled without end': {
    nodes: [
      ...Array.from({ length: 40 }, (_, i) => ({
        op: 'Concat',
        inputs: i === 0 ? ['seed', 'seed'] : [`k${i - 1}`, `k${i - 1}`],
        output: `k${i}`,
        attributes: { axis: 0 },
      })),
      { op: 'Add', inputs: ['hu', 'k39'], output: 'denoised' },
    ],
    tensors: [{ name: 'seed', dims: [8], values: Array<number>(8).fill(1) }],
  },
  'more steps than a plan holds': {
    nodes: [
      convolution.node,
      ...Array.from({ length: 300 }, (_, i) => ({
        op: 'LeakyRelu',
        inputs: [i === 0 ? 'denoised' : `r${i - 1}`],
        output: `r${i}`,
      })),
    ],
    tensors: convolution.tensors,
    output: 'r299',
  },
  'no convolution at all': { nodes: [{ op: 'Relu', inputs: ['hu'], output: 'denoised' }] },
  'weights that are computed': { ...good, nodes: [{ ...convolution.node, inputs: ['hu', 'hu'] }] },
};

describe('hostile ONNX files', () => {
  test('the file that the others are made from is good', () => {
    expect(codeOf(() => read(onnxFile(good)))).toBe('none');
  });

  test.each(Object.entries(invalid))('%s', (_, fields) => {
    expect(codeOf(() => read(onnxFile(fields)))).toBe('ONNX_INVALID');
  });

  test.each(Object.entries(unsupported))('%s is not supported', (_, fields) => {
    expect(codeOf(() => read(onnxFile(fields)))).toBe('ONNX_UNSUPPORTED');
  });

  test('an unsupported operator is named, with its node and what would do', () => {
    const file = onnxFile({ nodes: [{ op: 'Greater', inputs: ['hu', 'hu'], output: 'denoised' }] });
    expect(() => read(file)).toThrow(
      expect.objectContaining({
        details: {
          operator: 'Greater',
          node: '/Greater_0',
          supported: expect.stringMatching(/LeakyRelu, Max or Min.*Conv, ConvTranspose/),
        },
      }),
    );
  });

  test('four thousand functions of functions end in bounded time', () => {
    const functions = Array.from({ length: 4000 }, (_, i) => ({
      op: 'Tanh',
      inputs: [i === 0 ? 'denoised' : `t${i - 1}`],
      output: `t${i}`,
    }));
    const file = onnxFile({
      nodes: [convolution.node, ...functions],
      tensors: convolution.tensors,
      output: 't3999',
    });
    const network = lowerOnnx(readGraph(file));
    expect(network.nodes.length).toBeLessThan(256);
  });

  test('data in another file', () => {
    const tensor = { dims: [9], dataType: 1, name: 'w', dataLocation: 1, externalData: [new Uint8Array(3)] };
    const model = modelType.toObject(modelType.decode(onnxFile(good)));
    model['graph'].initializer.push(tensor);
    const bytes = modelType.encode(modelType.fromObject(model)).finish();
    expect(codeOf(() => read(bytes))).toBe('ONNX_INVALID');
  });

  test('every truncation is an error with a code', () => {
    const bytes = onnxFile(good);
    for (let length = 0; length < bytes.length; length++)
      expect(codeOf(() => read(bytes.subarray(0, length)))).toMatch(/^ONNX_/);
  });

  test('changed bytes never give anything but a network or a code', () => {
    const bytes = onnxFile(good);
    const change = fc.tuple(fc.nat(bytes.length - 1), fc.nat(255));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 6 }), (changes) => {
        const changed = bytes.slice();
        for (const [at, value] of changes) changed[at] = value;
        expect(codeOf(() => read(changed))).toMatch(/^(none|ONNX_\w+)$/);
      }),
      { numRuns: 2000 },
    );
  });

  test('noise of any length', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(codeOf(() => read(bytes))).toMatch(/^ONNX_/);
      }),
    );
  });

  test('millions of empty nodes are refused before they are built', () => {
    const head = [(7 << 3) | 2, 0x80, 0x80, 0x80, 0x04];
    const bytes = new Uint8Array(head.length + 8 * 2 ** 20);
    bytes.set(head);
    for (let i = head.length; i < bytes.length; i += 2) bytes[i] = (1 << 3) | 2;
    expect(codeOf(() => read(bytes))).toBe('ONNX_INVALID');
  });

  test('weights are counted before dilations are written out', () => {
    const first = meanConvolution('hu', 'c', [1, 256]);
    const tensors = [
      ...first.tensors,
      { name: 'w', dims: [256, 256, 2, 2], values: Array<number>(2 ** 18).fill(1) },
    ];
    const attributes = { dilations: [30, 30], pads: [15, 15, 15, 15] };
    const second = { op: 'Conv', inputs: ['c', 'w'], output: 'denoised', attributes };
    expect(codeOf(() => read(onnxFile({ nodes: [first.node, second], tensors })))).toBe('ONNX_UNSUPPORTED');
  });
});
