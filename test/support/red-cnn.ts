import { integers } from './arbitraries.ts';
import { onnxFile, type NodeFields, type TensorFields } from './onnx-file.ts';

/**
 * RED-CNN (Chen et al., IEEE TMI 2017) as PyTorch exports it: five 5x5 convolutions and five transposed ones without
 * padding, three skips. Weights are drawn from a seed, so that signals neither grow nor vanish and the last layer changes
 * the image by some ten HU; rows and columns are open.
 */
export function redCnn(channels = 96, seed = 1): Uint8Array {
  const next = integers(seed);
  const nodes: NodeFields[] = [];
  const tensors: TensorFields[] = [
    { name: 'low', dims: [], values: [-1024] },
    { name: 'range', dims: [], values: [4096] },
  ];
  let last = 'hu';
  const push = (op: string, inputs: readonly string[], attributes: NodeFields['attributes'] = {}): void => {
    const output = `v${nodes.length}`;
    nodes.push({ op, inputs, output, attributes });
    last = output;
  };
  const layer = (op: 'Conv' | 'ConvTranspose', from: number, to: number, gain: number): void => {
    const name = `layer${tensors.length}`;
    const bound = gain * Math.sqrt(6 / (from * 25));
    const values = Float32Array.from(
      { length: from * to * 25 },
      () => (next(-(2 ** 20), 2 ** 20) / 2 ** 20) * bound,
    );
    const bias = Float32Array.from({ length: to }, () => next(-100, 100) / 10_000);
    const dims = op === 'Conv' ? [to, from, 5, 5] : [from, to, 5, 5];
    tensors.push(
      { name: `${name}.weight`, dims, values },
      { name: `${name}.bias`, dims: [to], values: bias },
    );
    push(op, [last, `${name}.weight`, `${name}.bias`], { kernel_shape: [5, 5] });
  };
  push('Sub', [last, 'low']);
  push('Div', [last, 'range']);
  const skips: string[] = [];
  for (let i = 0; i < 5; i++) {
    if (i % 2 === 0) skips.push(last);
    layer('Conv', i === 0 ? 1 : channels, channels, 1);
    push('Relu', [last]);
  }
  for (let i = 0; i < 5; i++) {
    layer('ConvTranspose', channels, i === 4 ? 1 : channels, i === 4 ? 0.02 : 0.6);
    if (i % 2 === 0) push('Add', [last, skips.pop() as string]);
    push('Relu', [last]);
  }
  push('Mul', [last, 'range']);
  push('Add', [last, 'low']);
  return onnxFile({ nodes, tensors, inputDims: [0, 1, 0, 0], output: last });
}
