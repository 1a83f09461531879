import { blockSides, windowedSize } from '@cipherdose/sdk/image';
import { DenoiseError } from '@cipherdose/sdk/errors';
import { channelsOf, sizedLike, type FloatNetwork } from './float-network.ts';

/** What evaluating a network on one image takes. */
export interface NetworkWork {
  /** Multiplications of weights with values. */
  readonly products: number;
  /** Numbers of all maps together. */
  readonly elements: number;
}

/**
 * What evaluating a network on an image of `height` x `width` pixels takes.
 * @throws CALIBRATION_INVALID if the image is too small for the network
 */
export function networkWork(network: FloatNetwork, height: number, width: number): NetworkWork {
  const channels = channelsOf(network);
  const sizes = new Map([['image', { height, width }]]);
  let [products, elements] = [0, height * width];
  for (const node of network.nodes) {
    const input = sizes.get(sizedLike(node)) ?? { height, width };
    let size = input;
    const sides = blockSides('factor' in node ? node.factor : 1);
    if (node.op === 'linear' || node.op === 'convolution' || node.op === 'pool')
      size = windowedSize(node, input.height, input.width);
    else if (node.op === 'globalPool') size = { height: 1, width: 1 };
    else if (node.op === 'unshuffle')
      size = { height: Math.ceil(input.height / sides[0]), width: Math.ceil(input.width / sides[1]) };
    else if (node.op === 'shuffle') size = { height: input.height * sides[0], width: input.width * sides[1] };
    else if (node.op === 'pad')
      size = {
        height: input.height + node.padding[0] + node.padding[2],
        width: input.width + node.padding[1] + node.padding[3],
      };
    if (size.height < 1 || size.width < 1)
      throw new DenoiseError('CALIBRATION_INVALID', {
        height,
        width,
        reason: 'too small for the network',
        at: node.name,
      });
    const pixels = size.height * size.width;
    if (node.op === 'linear' || node.op === 'convolution')
      products += pixels * node.outChannels * node.inChannels * node.kernel[0] * node.kernel[1];
    if (node.op === 'nonLocalMeans') products += pixels * (channels.get(node.name) ?? 0) * node.search ** 2;
    elements += pixels * (channels.get(node.name) ?? 0);
    sizes.set(node.name, size);
  }
  return { products, elements };
}
