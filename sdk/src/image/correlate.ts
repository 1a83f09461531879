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

interface Tap {
  readonly offset: number;
  readonly weight: number;
}

const tapsAtOnce = 8;

/**
 * Cross-correlation with zero padding. Sums are doubles: exact for integers as long as every partial sum stays
 * below 2^53. Zero weights cost nothing.
 * @param weights [out channel][in channel][kernel row][kernel column]
 * @param write takes one output row of one channel, which is overwritten afterwards
 */
export function correlate(
  map: NumberMap,
  convolution: Convolution,
  weights: ArrayLike<number>,
  bias: ArrayLike<number>,
  write: (row: Float64Array, outChannel: number, y: number) => void,
): void {
  const { outChannels, stride } = convolution;
  const size = windowedSize(convolution, map.height, map.width);
  const padded = pad(map, convolution);
  const row = new Float64Array(Math.max(0, size.width));
  for (let out = 0; out < outChannels; out++) {
    const groups = tapGroups(convolution, weights, out, padded);
    for (let y = 0; y < size.height; y++) {
      row.fill(bias[out] as number);
      const start = y * stride[0] * padded.width;
      for (const group of groups) addTaps(row, padded.data, start, stride[1], group);
      write(row, out, y);
    }
  }
}

function pad(map: NumberMap, convolution: Convolution): NumberMap & { readonly data: Float64Array } {
  const [top, left, bottom, right] = convolution.padding;
  const height = map.height + top + bottom;
  const width = map.width + left + right;
  const data = new Float64Array(map.channels * height * width);
  for (let channel = 0; channel < map.channels; channel++)
    for (let y = 0; y < map.height; y++) {
      const source = (channel * map.height + y) * map.width;
      data.set(map.data.subarray(source, source + map.width), (channel * height + top + y) * width + left);
    }
  return { channels: map.channels, height, width, data };
}

/** The taps of one output channel that are not 0, in groups; the last group is filled up with weight 0. */
function tapGroups(
  { inChannels, kernel }: Convolution,
  weights: ArrayLike<number>,
  outChannel: number,
  padded: NumberMap,
): Tap[][] {
  const taps: Tap[] = [];
  for (let channel = 0; channel < inChannels; channel++)
    for (let ky = 0; ky < kernel[0]; ky++)
      for (let kx = 0; kx < kernel[1]; kx++) {
        const index = ((outChannel * inChannels + channel) * kernel[0] + ky) * kernel[1] + kx;
        const weight = weights[index] as number;
        if (weight !== 0) taps.push({ offset: (channel * padded.height + ky) * padded.width + kx, weight });
      }
  while (taps.length % tapsAtOnce !== 0) taps.push({ offset: 0, weight: 0 });
  return Array.from({ length: taps.length / tapsAtOnce }, (_, group) =>
    taps.slice(group * tapsAtOnce, (group + 1) * tapsAtOnce),
  );
}

/** row[x] += sum of weight * data[start + offset + x * stride]. Eight taps at once: the row is loaded once for all. */
function addTaps(
  row: Float64Array,
  data: Float64Array,
  start: number,
  stride: number,
  group: readonly Tap[],
): void {
  const [a, b, c, d, e, f, g, h] = group as [Tap, Tap, Tap, Tap, Tap, Tap, Tap, Tap];
  const [oa, ob, oc, od] = [a.offset, b.offset, c.offset, d.offset];
  const [oe, of, og, oh] = [e.offset, f.offset, g.offset, h.offset];
  const [wa, wb, wc, wd, we, wf, wg, wh] = [a, b, c, d, e, f, g, h].map((tap) => tap.weight) as Eight;
  for (let x = 0, i = start; x < row.length; x++, i += stride)
    row[x] =
      (row[x] as number) +
      wa * (data[oa + i] as number) +
      wb * (data[ob + i] as number) +
      wc * (data[oc + i] as number) +
      wd * (data[od + i] as number) +
      we * (data[oe + i] as number) +
      wf * (data[of + i] as number) +
      wg * (data[og + i] as number) +
      wh * (data[oh + i] as number);
}

type Eight = [number, number, number, number, number, number, number, number];
