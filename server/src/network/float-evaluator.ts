import { DenoiseError } from '@cipherdose/sdk/errors';
import { pixelShuffle, pixelUnshuffle, type FeatureMap } from '@cipherdose/sdk/image';
import { outputSize } from '@cipherdose/sdk/packing';
import { correlate, type NumberMap } from './correlate.ts';
import type { FloatLinear, FloatNetwork, FloatNode } from './float-network.ts';

interface FloatMap extends NumberMap {
  readonly data: Float64Array;
}

/**
 * Evaluates a network in doubles: what quantisation is judged by.
 * @param hu one image, row-major HU, already inside the model's input range
 * @returns the output, row-major HU, not rounded
 */
export function evaluateFloat(
  network: FloatNetwork,
  hu: Int16Array,
  height: number,
  width: number,
): Float64Array {
  const image: FloatMap = { channels: 1, height, width, data: Float64Array.from(hu) };
  const values = new Map([['image', image]]);
  const valueOf = (name: string): FloatMap => {
    const value = values.get(name);
    if (!value) throw new DenoiseError('MODEL_INVALID', { value: name });
    return value;
  };
  for (const node of network.nodes) values.set(node.name, evaluate(node, valueOf, image));
  return valueOf(network.output).data;
}

function evaluate(node: FloatNode, valueOf: (name: string) => FloatMap, image: FloatMap): FloatMap {
  switch (node.op) {
    case 'linear':
      return convolve(valueOf(node.input), node);
    case 'unshuffle':
      return reorder(valueOf(node.input), (indices) => pixelUnshuffle(indices, node.factor));
    case 'shuffle': {
      const input = valueOf(node.input);
      const height = Math.min(input.height * node.factor, image.height);
      const width = Math.min(input.width * node.factor, image.width);
      return reorder(input, (indices) => pixelShuffle(indices, node.factor, height, width));
    }
    case 'activation': {
      const input = valueOf(node.input);
      const plane = input.height * input.width;
      const data = input.data.map((x, i) => {
        const multipliers = x < 0 ? node.negative : node.positive;
        const y = x * ((multipliers[Math.floor(i / plane)] ?? multipliers[0]) as number);
        return Math.max(node.low, Math.min(node.high, y));
      });
      return { ...input, data };
    }
    case 'polynomial': {
      const input = valueOf(node.input);
      return { ...input, data: input.data.map((x) => (node.square * x + node.slope) * x + node.constant) };
    }
    case 'add': {
      const [a, b] = [valueOf(node.inputs[0]), valueOf(node.inputs[1])];
      const [first, second] = node.multipliers;
      return { ...a, data: a.data.map((x, i) => x * first + (b.data[i] as number) * second) };
    }
  }
}

function convolve(map: FloatMap, node: FloatLinear): FloatMap {
  const size = outputSize(node, map.height, map.width);
  const data = new Float64Array(node.outChannels * size.height * size.width);
  correlate(map, node, node.weights, node.bias, (row, channel, y) => {
    data.set(row, (channel * size.height + y) * size.width);
  });
  return { channels: node.outChannels, ...size, data };
}

/** Moves numbers as the SDK moves integers: by sending their indices, from 1, through it. 0 is padding. */
function reorder(map: FloatMap, move: (indices: FeatureMap) => FeatureMap): FloatMap {
  const moved = move({ ...map, data: Int32Array.from(map.data, (_, i) => i + 1) });
  const data = Float64Array.from(moved.data, (index) => (index === 0 ? 0 : (map.data[index - 1] as number)));
  return { ...moved, data };
}
