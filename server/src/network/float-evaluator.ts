import { DenoiseError } from '@cipherdose/sdk/errors';
import {
  blockSides,
  broadcast,
  correlate,
  padMap,
  pixelShuffle,
  pixelUnshuffle,
  windowedSize,
  type Coefficient,
  type NumberMap,
} from '@cipherdose/sdk/image';
import { outputSize } from '@cipherdose/sdk/packing';
import { reorder, type FloatMap } from './float-map.ts';
import { inputsOf, lastUses } from './float-network.ts';
import type { FloatConvolution, FloatLinear, FloatNetwork, FloatNode, FloatPool } from './float-network.ts';
import { floatNonLocalMeans } from './float-non-local-means.ts';

// See fixed-point.ts of the SDK: a global in the innermost loop is slow in a sandbox.
const { floor, max, min } = Math;

/**
 * Evaluates a network in doubles: what quantisation is judged by.
 * @param hu one image, row-major HU, already inside the model's input range
 * @param observe is shown every value, the image first
 * @returns the output, row-major HU, not rounded
 */
export function evaluateFloat(
  network: FloatNetwork,
  hu: Int16Array,
  height: number,
  width: number,
  observe?: (name: string, map: NumberMap) => void,
): Float64Array {
  const image: FloatMap = { channels: 1, height, width, data: Float64Array.from(hu) };
  const values = new Map([['image', image]]);
  observe?.('image', image);
  const valueOf = (name: string): FloatMap => {
    const value = values.get(name);
    if (!value) throw new DenoiseError('MODEL_INVALID', { value: name });
    return value;
  };
  const exact = network.multiple !== undefined;
  const lastUse = lastUses(network);
  network.nodes.forEach((node, i) => {
    const value = evaluate(node, valueOf, exact ? undefined : image);
    observe?.(node.name, value);
    values.set(node.name, value);
    for (const name of inputsOf(node)) if (lastUse.get(name) === i) values.delete(name);
  });
  return valueOf(network.output).data;
}

function evaluate(
  node: FloatNode,
  valueOf: (name: string) => FloatMap,
  image: FloatMap | undefined,
): FloatMap {
  switch (node.op) {
    case 'linear':
    case 'convolution':
      return convolve(valueOf(node.input), node);
    case 'unshuffle':
      return reorder(valueOf(node.input), (indices) => pixelUnshuffle(indices, node.factor));
    case 'shuffle': {
      const input = valueOf(node.input);
      const [rows, columns] = blockSides(node.factor);
      const height = Math.min(input.height * rows, image?.height ?? Infinity);
      const width = Math.min(input.width * columns, image?.width ?? Infinity);
      return reorder(input, (indices) => pixelShuffle(indices, node.factor, height, width));
    }
    case 'activation': {
      const input = valueOf(node.input);
      const plane = input.height * input.width;
      const { low, high } = node;
      const data = input.data.map((x, i) => {
        const multipliers = x < 0 ? node.negative : node.positive;
        const y = x * ((multipliers[floor(i / plane)] ?? multipliers[0]) as number);
        return y < low ? low : y > high ? high : y;
      });
      return { ...input, data };
    }
    case 'polynomial': {
      const input = valueOf(node.input);
      const plane = input.height * input.width;
      const data = input.data.map((x, i) => {
        const channel = floor(i / plane);
        const [square, slope, constant] = [node.square, node.slope, node.constant].map((coefficient) =>
          coefficientAt(coefficient, channel),
        ) as [number, number, number];
        return (square * x + slope) * x + constant;
      });
      return { ...input, data };
    }
    case 'function': {
      const input = valueOf(node.input);
      return { ...input, data: input.data.map(node.apply) };
    }
    case 'concat': {
      const inputs = node.inputs.map(valueOf);
      const data = new Float64Array(inputs.reduce((sum, map) => sum + map.data.length, 0));
      inputs.reduce((at, map) => (data.set(map.data, at), at + map.data.length), 0);
      const channels = inputs.reduce((sum, map) => sum + map.channels, 0);
      return { ...(inputs[0] as FloatMap), channels, data };
    }
    case 'select': {
      const input = valueOf(node.input);
      const plane = input.height * input.width;
      const data = new Float64Array(node.channels.length * plane);
      node.channels.forEach((from, i) =>
        data.set(input.data.subarray(from * plane, (from + 1) * plane), i * plane),
      );
      return { ...input, channels: node.channels.length, data };
    }
    case 'pool':
      return pooled(valueOf(node.input), node);
    case 'globalPool': {
      const input = valueOf(node.input);
      const count = input.height * input.width;
      const data = Float64Array.from({ length: input.channels }, (_, channel) => {
        const pixels = input.data.subarray(channel * count, (channel + 1) * count);
        if (node.kind === 'max') return pixels.reduce((most, pixel) => Math.max(most, pixel), -Infinity);
        return pixels.reduce((sum, pixel) => sum + pixel, 0) / count;
      });
      return { channels: input.channels, height: 1, width: 1, data };
    }
    case 'broadcast': {
      const [pixel, { height, width }] = [valueOf(node.inputs[0]), valueOf(node.inputs[1])];
      return reorder(pixel, (indices) => broadcast(indices, height, width));
    }
    case 'pad':
      return reorder(valueOf(node.input), (indices) => padMap(indices, node));
    case 'nonLocalMeans': {
      const [image, deviation, guide = image] = node.inputs;
      return floatNonLocalMeans(valueOf(image), valueOf(deviation), valueOf(guide), node);
    }
    case 'add': {
      const [a, b] = [valueOf(node.inputs[0]), valueOf(node.inputs[1])];
      const [first, second] = node.multipliers;
      return { ...a, data: a.data.map((x, i) => x * first + (b.data[i] as number) * second) };
    }
    case 'product': {
      const [a, b] = [valueOf(node.inputs[0]), valueOf(node.inputs[1])];
      return { ...a, data: a.data.map((x, i) => x * (b.data[i] as number)) };
    }
  }
}

/** One coefficient of a channel. */
export const coefficientAt = (coefficient: Coefficient, channel: number): number =>
  typeof coefficient === 'number' ? coefficient : ((coefficient[channel] ?? coefficient[0]) as number);

function pooled(map: FloatMap, node: FloatPool): FloatMap {
  const size = windowedSize(node, map.height, map.width);
  const data = new Float64Array(map.channels * size.height * size.width);
  const [top, left] = node.padding;
  const most = node.kind === 'max';
  let next = 0;
  for (let channel = 0; channel < map.channels; channel++)
    for (let y = 0; y < size.height; y++)
      for (let x = 0; x < size.width; x++) {
        const [row, column] = [y * node.stride[0] - top, x * node.stride[1] - left];
        const [firstRow, endRow] = [max(0, row), min(map.height, row + node.kernel[0])];
        const [firstColumn, endColumn] = [max(0, column), min(map.width, column + node.kernel[1])];
        let value = most ? -Infinity : 0;
        for (let j = firstRow; j < endRow; j++)
          for (let i = firstColumn; i < endColumn; i++) {
            const pixel = map.data[(channel * map.height + j) * map.width + i] as number;
            value = most ? max(value, pixel) : value + pixel;
          }
        const count = (endRow - firstRow) * (endColumn - firstColumn);
        data[next++] = node.kind === 'mean' ? value / count : value;
      }
  return { channels: map.channels, ...size, data };
}

function convolve(map: FloatMap, node: FloatLinear | FloatConvolution): FloatMap {
  const size = outputSize(node, map.height, map.width);
  const data = new Float64Array(node.outChannels * size.height * size.width);
  correlate(map, node, node.weights, node.bias, (row, channel, y) => {
    data.set(row, (channel * size.height + y) * size.width);
  });
  return { channels: node.outChannels, ...size, data };
}
