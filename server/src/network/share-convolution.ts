import type { FeatureMap } from '@cipherdose/sdk/image';
import type { LinearNode } from '@cipherdose/sdk/protocol';
import { convolve } from './clear-convolution.ts';
import type { LinearWeights } from './integer-network.ts';

const lowBits = 15;

/**
 * W x for a share x of a layer's input, modulo 2^32: with t a power of two, exact modulo t as well.
 *
 * The share is cut into two parts of 15 and 17 bits at most, because convolutions take 16 bits with a sign and their
 * sums have to stay below 2^53.
 * @param share below 2^31, [inChannels][height][width]
 * @returns [outChannels][outHeight][outWidth]
 */
export function convolveShare(
  share: Uint32Array,
  node: LinearNode,
  size: { readonly height: number; readonly width: number },
  { weights }: Pick<LinearWeights, 'weights'>,
): Uint32Array<ArrayBuffer> {
  const layer: LinearWeights = { weights, bias: new Int32Array(node.outChannels) };
  const part = (take: (value: number) => number): FeatureMap => ({
    channels: node.inChannels,
    height: size.height,
    width: size.width,
    data: Int32Array.from(share, take),
  });
  const low = convolve(
    part((value) => value & (2 ** lowBits - 1)),
    node,
    layer,
  );
  const high = convolve(
    part((value) => value >>> lowBits),
    node,
    layer,
  );
  return Uint32Array.from(low.data, (value, i) => value + ((high.data[i] as number) << lowBits));
}
