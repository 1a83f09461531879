import { correlateWasm } from '../generated/correlate-wasm.ts';
import { KeptModule } from '../wasm/index.ts';
import { windowedSize, type Windows } from './pool.ts';

/** The shape of a convolution: windows over all channels of a map, for each output channel. */
export interface Convolution extends Windows {
  readonly inChannels: number;
  readonly outChannels: number;
}

/** Numbers of a map, channel-major, then row-major. */
export interface NumberMap {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly data: Int32Array | Float64Array;
}

/** Functions of assembly/correlate.ts, see there. */
interface Correlator {
  freeAddress(): number;
  addTaps(
    row: number,
    count: number,
    data: number,
    strideBytes: number,
    taps: number,
    tapCount: number,
  ): void;
}

const correlator = new KeptModule<Correlator>(correlateWasm);
const tapBytes = 16;

/**
 * Cross-correlation with zero padding. Sums are doubles: exact for integers as long as every partial sum stays
 * below 2^53. Zero weights cost nothing.
 * @param weights [out channel][in channel][kernel row][kernel column]
 * @param write takes one output row of one channel, which is overwritten afterwards; it starts no other correlation
 * @throws RangeError where there is not so much memory
 */
export function correlate(
  map: NumberMap,
  convolution: Convolution,
  weights: ArrayLike<number>,
  bias: ArrayLike<number>,
  write: (row: Float64Array, outChannel: number, y: number) => void,
): void {
  const { inChannels, outChannels, kernel, stride } = convolution;
  const size = windowedSize(convolution, map.height, map.width);
  const [top, left, bottom, right] = convolution.padding;
  const [height, width] = [map.height + top + bottom, map.width + left + right];
  const values = map.channels * height * width;
  const columns = Math.max(0, size.width);
  const most = inChannels * kernel[0] * kernel[1];
  const { call, buffer, addresses } = correlator.room([8 * values, 8 * columns, tapBytes * most]);
  const [dataAt, rowAt, tapsAt] = addresses as [number, number, number];
  fill(new Float64Array(buffer, dataAt, values), map, convolution, height, width);
  const row = new Float64Array(buffer, rowAt, columns);
  const view = new DataView(buffer, tapsAt, tapBytes * most);
  for (let out = 0; out < outChannels; out++) {
    const taps = writeTaps(view, convolution, weights, out, height, width);
    for (let y = 0; y < size.height; y++) {
      row.fill(bias[out] as number);
      const start = dataAt + 8 * y * stride[0] * width;
      call.addTaps(rowAt, columns, start, 8 * stride[1], tapsAt, taps);
      write(row, out, y);
    }
  }
}

/** The map with zeros around it: channels x height x width. */
function fill(
  target: Float64Array,
  map: NumberMap,
  { padding: [top, left] }: Convolution,
  height: number,
  width: number,
): void {
  target.fill(0);
  for (let channel = 0; channel < map.channels; channel++)
    for (let y = 0; y < map.height; y++) {
      const source = (channel * map.height + y) * map.width;
      target.set(map.data.subarray(source, source + map.width), (channel * height + top + y) * width + left);
    }
}

/** Writes the taps of one output channel that are not 0, in a padded map of that size. @returns how many */
function writeTaps(
  target: DataView,
  { inChannels, kernel }: Convolution,
  weights: ArrayLike<number>,
  outChannel: number,
  height: number,
  width: number,
): number {
  let at = 0;
  let index = outChannel * inChannels * kernel[0] * kernel[1];
  for (let channel = 0; channel < inChannels; channel++)
    for (let ky = 0; ky < kernel[0]; ky++)
      for (let kx = 0; kx < kernel[1]; kx++) {
        const weight = weights[index++] as number;
        if (weight === 0) continue;
        target.setUint32(at, 8 * ((channel * height + ky) * width + kx), true);
        target.setFloat64(at + 8, weight, true);
        at += tapBytes;
      }
  return at / tapBytes;
}
