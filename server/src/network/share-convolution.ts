import type { LinearNode } from '@cipherdose/sdk/protocol';
import { convolve } from './clear-convolution.ts';
import type { LinearWeights } from './integer-network.ts';

const lowBits = 15;
const lowMask = 2 ** lowBits - 1;

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
  const low = new Int32Array(share.length);
  const high = new Int32Array(share.length);
  for (let i = 0; i < share.length; i++) {
    low[i] = (share[i] as number) & lowMask;
    high[i] = (share[i] as number) >>> lowBits;
  }
  const convolved = (data: Int32Array): Int32Array =>
    convolve({ channels: node.inChannels, height: size.height, width: size.width, data }, node, layer).data;
  const [lowSums, highSums] = [convolved(low), convolved(high)];
  const sums = new Uint32Array(lowSums.length);
  for (let i = 0; i < sums.length; i++)
    sums[i] = (lowSums[i] as number) + ((highSums[i] as number) << lowBits);
  return sums;
}
