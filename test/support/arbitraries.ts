import fc from 'fast-check';
import type { FeatureMap } from '@cipherdose/sdk/image';
import type { LinearNode } from '@cipherdose/sdk/protocol';

/** A convolution with kernels 1..9, strides 1 and 2 each way and any padding below the kernel, and a map that it fits into. */
export const convolution = (options: {
  maxSide: number;
  maxChannels: number;
}): fc.Arbitrary<ConvolutionCase> =>
  fc
    .record({
      kernel: fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 })),
      stride: fc.tuple(fc.integer({ min: 1, max: 2 }), fc.integer({ min: 1, max: 2 })),
      pads: fc.tuple(fc.nat(8), fc.nat(8), fc.nat(8), fc.nat(8)),
      height: fc.integer({ min: 1, max: options.maxSide }),
      width: fc.integer({ min: 1, max: options.maxSide }),
      inChannels: fc.integer({ min: 1, max: options.maxChannels }),
      outChannels: fc.integer({ min: 1, max: options.maxChannels }),
      seed: fc.integer(),
    })
    .map(({ kernel, stride, pads, height, width, inChannels, outChannels, seed }) => {
      const [kh, kw] = kernel;
      const padding = [pads[0] % kh, pads[1] % kw, pads[2] % kh, pads[3] % kw] as [
        number,
        number,
        number,
        number,
      ];
      const node: LinearNode = {
        op: 'linear',
        name: 'layer',
        input: 'image',
        layer: 0,
        inChannels,
        outChannels,
        kernel,
        stride,
        padding,
        accumulatorBound: 0,
      };
      return {
        node,
        height: Math.max(height, kh - padding[0] - padding[2]),
        width: Math.max(width, kw - padding[1] - padding[3]),
        seed,
      };
    });

export interface ConvolutionCase {
  readonly node: LinearNode;
  readonly height: number;
  readonly width: number;
  readonly seed: number;
}

/** A reproducible stream of integers in [low, high]: mulberry32. */
export function integers(seed: number): (low: number, high: number) => number {
  let state = seed >>> 0;
  return (low, high) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return low + Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * (high - low + 1));
  };
}

export function randomMap(
  channels: number,
  height: number,
  width: number,
  bound: number,
  seed: number,
): FeatureMap {
  const next = integers(seed);
  const data = Int32Array.from({ length: channels * height * width }, () => next(-bound, bound));
  return { channels, height, width, data };
}

/** Convolution by its definition, one output at a time: the truth that everything else is compared with. */
export function convolveByDefinition(
  map: FeatureMap,
  node: Pick<LinearNode, 'kernel' | 'stride' | 'padding' | 'inChannels' | 'outChannels'>,
  weights: ArrayLike<number>,
  bias: ArrayLike<number>,
): FeatureMap {
  const [kh, kw] = node.kernel;
  const [sh, sw] = node.stride;
  const [top, left, bottom, right] = node.padding;
  const height = Math.floor((map.height + top + bottom - kh) / sh) + 1;
  const width = Math.floor((map.width + left + right - kw) / sw) + 1;
  const data = new Int32Array(node.outChannels * height * width);
  let next = 0;
  for (let out = 0; out < node.outChannels; out++)
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++) {
        let sum = bias[out] as number;
        for (let channel = 0; channel < node.inChannels; channel++)
          for (let ky = 0; ky < kh; ky++)
            for (let kx = 0; kx < kw; kx++) {
              const row = y * sh + ky - top;
              const column = x * sw + kx - left;
              if (row < 0 || column < 0 || row >= map.height || column >= map.width) continue;
              const weight = weights[((out * node.inChannels + channel) * kh + ky) * kw + kx] as number;
              sum += weight * (map.data[(channel * map.height + row) * map.width + column] as number);
            }
        data[next++] = sum;
      }
  return { channels: node.outChannels, height, width, data };
}
