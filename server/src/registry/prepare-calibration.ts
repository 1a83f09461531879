import { DenoiseError } from '@cipherdose/sdk/errors';
import type { HuImage } from '@cipherdose/sdk/image';
import type { FloatNetwork } from '../network/float-network.ts';
import { networkWork, type NetworkWork } from '../network/network-work.ts';

/** Products of weights and values that one evaluation of all calibration images may take. */
const mostProducts = 12e9;
/** Numbers of all maps that are held together. */
const mostElements = 2 ** 27;
/** Images are not made smaller than this on a side, pixels; fewer of them are used before. */
const leastSide = 64;
/** Products and numbers beyond which a network is refused, even on one image of that side. */
const tooManyProducts = 60e9;
const tooManyElements = 2 ** 28;

/**
 * Images that a network can be calibrated with in bounded time and memory: sides that it divides, cut around the middle
 * or left out if the network is heavy. Whole images stay as they are.
 * @throws CALIBRATION_INVALID if an image is not of one size with its pixels, or too small for the network,
 *   ONNX_UNSUPPORTED if the network is too heavy even so
 */
export function prepareCalibration(
  network: FloatNetwork,
  images: readonly HuImage[],
  fill: number,
): HuImage[] {
  const [first] = images;
  if (!first) throw new DenoiseError('CALIBRATION_INVALID', { images: 0 });
  for (const { width, height, hu } of images)
    if (width * height !== hu.length || hu.length === 0)
      throw new DenoiseError('CALIBRATION_INVALID', { width, height, pixels: hu.length });
  const multiple = network.multiple ?? 1;
  const workOf = (chosen: readonly HuImage[]): NetworkWork => {
    const works = chosen.map(({ width, height }) =>
      networkWork(network, roundUp(height, multiple), roundUp(width, multiple)),
    );
    return { products: sum(works, 'products'), elements: sum(works, 'elements') };
  };
  const fits = (chosen: readonly HuImage[]): boolean => {
    const { products, elements } = workOf(chosen);
    return products <= mostProducts && elements <= mostElements;
  };
  let chosen = images;
  for (let side = Math.max(...images.flatMap(({ width, height }) => [width, height])); !fits(chosen);) {
    if (side > leastSide) {
      side = Math.max(leastSide, Math.floor(side * 0.8));
      chosen = images.map((image) => middle(image, side, multiple));
    } else if (chosen.length > 1) chosen = chosen.slice(0, Math.ceil(chosen.length / 2));
    else break;
  }
  const { products, elements } = workOf(chosen);
  if (products > tooManyProducts || elements > tooManyElements)
    throw new DenoiseError('ONNX_UNSUPPORTED', {
      products,
      elements,
      supported: `${tooManyProducts} products and ${tooManyElements} values for ${leastSide}x${leastSide} pixels`,
    });
  return chosen.map((image) => padded(image, multiple, fill));
}

const roundUp = (value: number, multiple: number): number => Math.ceil(value / multiple) * multiple;
const sum = (
  works: readonly { products: number; elements: number }[],
  key: 'products' | 'elements',
): number => works.reduce((total, work) => total + work[key], 0);

/** At most `side` x `side` pixels around the middle. */
function middle(image: HuImage, side: number, multiple: number): HuImage {
  const size = (length: number): number => Math.min(length, Math.max(multiple, side - (side % multiple)));
  const [width, height] = [size(image.width), size(image.height)];
  return part(
    image,
    Math.floor((image.width - width) / 2),
    Math.floor((image.height - height) / 2),
    width,
    height,
    0,
  );
}

/** The image with `fill` at the right and at the bottom until its sides are multiples. */
function padded(image: HuImage, multiple: number, fill: number): HuImage {
  const [width, height] = [roundUp(image.width, multiple), roundUp(image.height, multiple)];
  return width === image.width && height === image.height ? image : part(image, 0, 0, width, height, fill);
}

function part(
  image: HuImage,
  left: number,
  top: number,
  width: number,
  height: number,
  fill: number,
): HuImage {
  const hu = new Int16Array(width * height).fill(fill);
  const padding = image.padding && new Uint8Array(width * height);
  for (let y = 0; y < Math.min(height, image.height - top); y++) {
    const start = (top + y) * image.width + left;
    const end = start + Math.min(width, image.width - left);
    hu.set(image.hu.subarray(start, end), y * width);
    if (image.padding) padding?.set(image.padding.subarray(start, end), y * width);
  }
  return { width, height, hu, ...(padding ? { padding } : {}) };
}
