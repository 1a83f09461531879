import { DenoiseError } from '@cipherdose/sdk/errors';
import type { HuImage } from '@cipherdose/sdk/image';
import { continueWalk, startWalk } from '@cipherdose/sdk/plan';
import { convolve } from './clear-convolution.ts';
import type { IntegerNetwork } from './integer-network.ts';

/**
 * Evaluates a network on an image in the clear: the reference that the encrypted result is compared with.
 * About a second for a 512x512 slice of the shipped interactive model.
 */
export function evaluateClear(network: IntegerNetwork, image: HuImage): HuImage {
  let step = startWalk(network.plan, image);
  while (!step.done) {
    const layer = network.layers[step.node.layer];
    if (!layer)
      throw new DenoiseError('LAYER_UNKNOWN', { layer: step.node.layer, layers: network.layers.length });
    step = continueWalk(step, convolve(step.input, step.node, layer));
  }
  return step.image;
}
