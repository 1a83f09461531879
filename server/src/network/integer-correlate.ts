import type { Convolution, FeatureMap } from '@cipherdose/sdk/image';
import { outputSize } from '@cipherdose/sdk/packing';
import { KeptModule } from '@cipherdose/sdk/wasm';
import { correlateWasm } from '../generated/correlate-wasm.ts';
import type { LinearWeights } from './integer-network.ts';

interface Correlator {
  freeAddress(): number;
  correlateTwo(
    data: number,
    weights: number,
    output: number,
    pairs: number,
    kernelRows: number,
    kernelColumns: number,
    height: number,
    pitch: number,
    outHeight: number,
    outPitch: number,
  ): void;
}

/** Below this many products the map is not worth the move. */
const leastProducts = 2e6;
/** Largest part of an address space that is asked for. */
const mostBytes = 2 ** 30;
/** Pixels that one step of the kernel computes, and reads beyond the last. */
const step = 16;

const correlator = new KeptModule<Correlator>(correlateWasm);

/**
 * A convolution on the WASM kernel of `server/assembly/correlate.ts`.
 * @returns undefined if the kernel cannot do it or it is too small to be worth it: strides, values beyond 16 bits
 */
export function correlateIntegers(
  map: FeatureMap,
  node: Convolution,
  layer: LinearWeights,
): Int32Array<ArrayBuffer> | undefined {
  const [rows, columns] = node.kernel;
  const { height: outHeight, width: outWidth } = outputSize(node, map.height, map.width);
  const products = outHeight * outWidth * node.outChannels * node.inChannels * rows * columns;
  if (products < leastProducts || node.stride[0] !== 1 || node.stride[1] !== 1) return undefined;
  if (map.data.some((value) => value < -32768 || value > 32767)) return undefined;

  const [top, left, bottom] = node.padding;
  const pairs = Math.ceil(node.inChannels / 2);
  const height = map.height + top + bottom;
  const outPitch = Math.ceil(outWidth / step) * step;
  const pitch = outPitch + columns + step;
  const dataBytes = 4 * pairs * height * pitch + 4 * pitch;
  const weightBytes = 8 * pairs * rows * columns;
  const outputBytes = 8 * outHeight * outPitch;
  if (dataBytes + weightBytes + outputBytes > mostBytes) return undefined;

  const { call, buffer, addresses } = correlator.room([dataBytes, weightBytes, outputBytes]);
  const [data, weights, output] = addresses as [number, number, number];
  fillData(new Int16Array(buffer, data, dataBytes / 2), map, top, left, height, pitch);
  const sums = new Int32Array(buffer, output, outputBytes / 4);
  const result = new Int32Array(node.outChannels * outHeight * outWidth);
  const plane = outHeight * outPitch;
  for (let out = 0; out < node.outChannels; out += 2) {
    const channels = Math.min(2, node.outChannels - out);
    fillWeights(new Int16Array(buffer, weights, weightBytes / 2), node, layer, out, channels);
    for (let k = 0; k < 2; k++) sums.fill(layer.bias[out + k] ?? 0, k * plane, (k + 1) * plane);
    call.correlateTwo(data, weights, output, pairs, rows, columns, height, pitch, outHeight, outPitch);
    for (let k = 0; k < channels; k++)
      for (let y = 0; y < outHeight; y++) {
        const row = k * plane + y * outPitch;
        result.set(sums.subarray(row, row + outWidth), ((out + k) * outHeight + y) * outWidth);
      }
  }
  return result;
}

/** [pair of channels][row][pitch][2], zeros around the map. */
function fillData(
  target: Int16Array,
  map: FeatureMap,
  top: number,
  left: number,
  height: number,
  pitch: number,
): void {
  target.fill(0);
  for (let channel = 0; channel < map.channels; channel++)
    for (let y = 0; y < map.height; y++) {
      let at = ((channel >> 1) * height + top + y) * pitch * 2 + left * 2 + (channel & 1);
      const source = (channel * map.height + y) * map.width;
      for (let x = 0; x < map.width; x++, at += 2) target[at] = map.data[source + x] as number;
    }
}

/** [output channel][pair of channels][kernel row][kernel column][2] */
function fillWeights(
  target: Int16Array,
  { inChannels, kernel }: Convolution,
  { weights }: LinearWeights,
  firstOut: number,
  outChannels: number,
): void {
  target.fill(0);
  const taps = kernel[0] * kernel[1];
  const pairTaps = Math.ceil(inChannels / 2) * taps;
  for (let k = 0; k < outChannels; k++)
    for (let channel = 0; channel < inChannels; channel++)
      for (let tap = 0; tap < taps; tap++)
        target[(k * pairTaps + (channel >> 1) * taps + tap) * 2 + (channel & 1)] = weights[
          ((firstOut + k) * inChannels + channel) * taps + tap
        ] as number;
}
