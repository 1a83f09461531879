export { blend, blendHu, checkStrength } from './blend.ts';
export {
  accumulatorBound,
  accumulatorBounds,
  accumulatorRanges,
  convolve,
  type ConvolutionWeights,
  type ValueRange,
} from './convolve.ts';
export { correlate, type Convolution, type NumberMap } from './correlate.ts';
export { emptyMap, type FeatureMap } from './feature-map.ts';
export {
  piecewise,
  polynomial,
  requantise,
  roundShift,
  safeProduct,
  weightedSum,
  type Coefficient,
  type Piece,
  type Rounding,
} from './fixed-point.ts';
export { checkHuImage, type HuImage } from './hu-image.ts';
export {
  guideRange,
  largestInverse,
  nonLocalMeans,
  patchMargin,
  type NonLocalMeansRule,
} from './non-local-means.ts';
export { broadcast, globalPool, type GlobalPoolRule } from './global-pool.ts';
export {
  blockPixels,
  blockSides,
  pixelShuffle,
  pixelUnshuffle,
  type ShuffleFactor,
} from './pixel-shuffle.ts';
export { pool, windowCount, windowedSize, type PoolRule, type Windows } from './pool.ts';
export { concatenate, padMap, selectChannels, type Fill } from './rearrange.ts';
export { quality, type Quality } from './quality.ts';
