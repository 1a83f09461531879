export { emptyMap, type FeatureMap } from './feature-map.ts';
export {
  polynomial,
  requantise,
  roundShift,
  safeProduct,
  weightedSum,
  type Rounding,
} from './fixed-point.ts';
export { checkHuImage, type HuImage } from './hu-image.ts';
export { pixelShuffle, pixelUnshuffle } from './pixel-shuffle.ts';
export { pool, windowCount, windowedSize } from './pool.ts';
export { concatenate, padMap, selectChannels } from './rearrange.ts';
export { quality, type Quality } from './quality.ts';
