import { DenoiseError } from '@cipherdose/sdk/errors';
import type { LinearNode, Plan } from '@cipherdose/sdk/protocol';
import type { LinearWeights } from '../network/integer-network.ts';

/**
 * weights.bin: for every linear layer in order the weights, int16 [out][in][kernel row][kernel column], then the
 * bias, int32 [out]; little endian, no header: the plan says how many there are.
 */
export function encodeWeights(layers: readonly LinearWeights[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(layers.reduce((sum, layer) => sum + layerBytes(layer), 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const { weights, bias } of layers) {
    for (const weight of weights) view.setInt16((at += 2) - 2, weight, true);
    for (const offset of bias) view.setInt32((at += 4) - 4, offset, true);
  }
  return bytes;
}

/** @throws MODEL_INVALID if the length is not that of the plan */
export function decodeWeights(bytes: Uint8Array, plan: Plan): LinearWeights[] {
  const expected = weightsBytes(plan);
  if (bytes.length !== expected) throw new DenoiseError('MODEL_INVALID', { bytes: bytes.length, expected });
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = 0;
  return linearNodes(plan).map((node) => {
    const weights = new Int16Array(weightCount(node));
    for (let i = 0; i < weights.length; i++) weights[i] = view.getInt16((at += 2) - 2, true);
    const bias = new Int32Array(node.outChannels);
    for (let i = 0; i < bias.length; i++) bias[i] = view.getInt32((at += 4) - 4, true);
    return { weights, bias };
  });
}

export const linearNodes = (plan: Plan): LinearNode[] => plan.nodes.filter((node) => node.op === 'linear');

/** Length of the weights file of a plan, bytes. */
export const weightsBytes = (plan: Plan): number =>
  linearNodes(plan).reduce((sum, node) => sum + 2 * weightCount(node) + 4 * node.outChannels, 0);

const weightCount = ({ outChannels, inChannels, kernel }: LinearNode): number =>
  outChannels * inChannels * kernel[0] * kernel[1];

const layerBytes = ({ weights, bias }: LinearWeights): number => weights.byteLength + bias.byteLength;
