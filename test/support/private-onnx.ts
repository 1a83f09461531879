import { integers } from './arbitraries.ts';
import { onnxFile, type FileFields, type NodeFields, type TensorFields } from './onnx-file.ts';

export interface PrivateOnnxOptions {
  readonly seed?: number;
  readonly hidden?: number;
  readonly kernel?: readonly [number, number];
  /** Two more input channels: how noisy the surroundings are. */
  readonly noiseMaps?: boolean;
  /** What stands between the two convolutions; default Relu. */
  readonly between?: readonly Omit<NodeFields, 'inputs' | 'output'>[];
  /** Most HU by which a pixel is changed. */
  readonly limit?: number;
  /** The residual is halved and raised by 3 HU behind the shuffle. */
  readonly affine?: boolean;
}

/**
 * A random network of the shape that private mode is made for, as ONNX:
 * image - Clip - SpaceToDepth (with noise maps) - Conv - Relu - Conv - Clip - DepthToSpace - taken from the image.
 */
export function privateOnnx(options: PrivateOnnxOptions = {}): Uint8Array {
  const { seed = 1, hidden = 16, kernel = [5, 9], noiseMaps = true, limit = 24 } = options;
  const next = integers(seed);
  const channels = 16 + (noiseMaps ? 2 : 0);
  const [rows, columns] = kernel;
  const pads = [rows >> 1, columns >> 1, rows >> 1, columns >> 1];
  const weights = (name: string, to: number, from: number, size: number): TensorFields => ({
    name,
    dims: [to, from, rows, columns],
    // Few weights are large, as in a trained network.
    values: Float32Array.from(
      { length: to * from * rows * columns },
      () => (size * next(-1000, 1000) * next(0, 1000) * next(0, 1000)) / 1e9,
    ),
  });
  const number = (name: string, value: number): TensorFields => ({ name, dims: [], values: [value] });
  const between = options.between ?? [{ op: 'Relu' }];
  const middle = between.map((node, i): NodeFields => ({
    ...node,
    inputs: [i === 0 ? 'a' : `between${i - 1}`, ...(node.op === 'Clip' ? ['zero', 'most'] : [])],
    output: `between${i}`,
  }));
  const fields: FileFields = {
    inputDims: [1, 1, 0, 0],
    nodes: [
      { op: 'Clip', inputs: ['hu', 'lowest', 'highest'], output: 'clipped' },
      { op: 'SpaceToDepth', inputs: ['clipped'], output: 'blocks', attributes: { blocksize: 4 } },
      ...(noiseMaps ? noiseNodes : []),
      {
        op: 'Conv',
        inputs: [noiseMaps ? 'features' : 'blocks', 'w1', 'b1'],
        output: 'a',
        attributes: { kernel_shape: kernel, pads },
      },
      ...middle,
      {
        op: 'Conv',
        inputs: [`between${between.length - 1}`, 'w2', 'b2'],
        output: 'c',
        attributes: { kernel_shape: kernel, pads },
      },
      { op: 'Clip', inputs: ['c', 'least', 'limit'], output: 'limited' },
      {
        op: 'DepthToSpace',
        inputs: ['limited'],
        output: 'residual',
        attributes: { blocksize: 4, mode: 'CRD' },
      },
      ...(options.affine
        ? [
            { op: 'Mul', inputs: ['residual', 'half'], output: 'halved' },
            { op: 'Add', inputs: ['halved', 'three'], output: 'raised' },
          ]
        : []),
      { op: 'Sub', inputs: ['hu', options.affine ? 'raised' : 'residual'], output: 'denoised' },
    ],
    tensors: [
      number('lowest', -1024),
      number('highest', 1023),
      number('noisiest', 100),
      number('zero', 0),
      number('most', 300),
      number('least', -limit),
      number('limit', limit),
      number('half', 0.5),
      number('three', 3),
      weights('w1', hidden, channels, 0.08),
      { name: 'b1', dims: [hidden], values: Array.from({ length: hidden }, () => next(-100, 100) / 10) },
      weights('w2', 16, hidden, 0.05),
      { name: 'b2', dims: [16], values: Array.from({ length: 16 }, () => next(-10, 10) / 10) },
    ],
  };
  return onnxFile(fields);
}

const average = (input: string, output: string, side: number, stride: number, pad: number): NodeFields => ({
  op: 'AveragePool',
  inputs: [input],
  output,
  attributes: {
    kernel_shape: [side, side],
    strides: [stride, stride],
    pads: [pad, pad, pad, pad],
    count_include_pad: 1,
  },
});

/** As examples/train-denoiser/model.py has them. */
const noiseNodes: readonly NodeFields[] = [
  average('clipped', 'fine', 3, 1, 1),
  average('clipped', 'coarse', 7, 1, 3),
  { op: 'Sub', inputs: ['clipped', 'fine'], output: 'detail1' },
  { op: 'Sub', inputs: ['fine', 'coarse'], output: 'detail2' },
  { op: 'Concat', inputs: ['detail1', 'detail2'], output: 'details', attributes: { axis: 1 } },
  { op: 'Abs', inputs: ['details'], output: 'magnitudes' },
  { op: 'Clip', inputs: ['magnitudes', 'zero', 'noisiest'], output: 'bounded' },
  average('bounded', 'blockwise', 4, 4, 0),
  average('blockwise', 'noise', 15, 1, 7),
  { op: 'Concat', inputs: ['blocks', 'noise'], output: 'features', attributes: { axis: 1 } },
];
