import { nonLocalMeansWasm } from '../generated/non-local-means-wasm.ts';
import { KeptModule } from '../wasm/index.ts';
import { emptyMap, type FeatureMap } from './feature-map.ts';
import { safeProduct } from './fixed-point.ts';
import { padMap } from './rearrange.ts';

/** Non-local means in integers; see {@link nonLocalMeans}. */
export interface NonLocalMeansRule {
  /** Side of the square of pixels that a pixel may be a mean of, odd. */
  readonly search: number;
  /** Side of the patches that are compared, odd. */
  readonly patch: number;
  /** Weight of a pixel by how much its patch differs: falling, the first is also that of the pixel itself. */
  readonly weights: readonly number[];
  /** A patch distance D counts as floor(D * floor(multiplier / deviation^2) / 2^shift), which selects its weight. */
  readonly multiplier: number;
  readonly shift: number;
  /** Integers of the result for one of the image. */
  readonly gain: number;
}

/** What floor(multiplier / deviation^2) is limited to, so that its products with patch distances stay below 2^53. */
export const largestInverse = 2 ** 24;

/** Most that values of a guide may differ by, see {@link nonLocalMeans}. */
export const guideRange = (patch: number): number =>
  Math.floor(Math.sqrt((safeProduct - 1) / largestInverse) / patch);

/** Pixels beyond the edge of a map that patches around the pixels of a window reach. */
export const patchMargin = (search: number, patch: number): number => (search - 1) / 2 + (patch - 1) / 2;

/** Functions of assembly/non-local-means.ts, see there. */
interface WindowSums {
  freeAddress(): number;
  addRow(
    y: number,
    padded: number,
    columns: number,
    distances: number,
    table: number,
    values: number,
    scales: number,
    sums: number,
    totals: number,
    places: number,
    height: number,
    width: number,
    search: number,
    patch: number,
  ): void;
}

const windowSums = new KeptModule<WindowSums>(nonLocalMeansWasm);

/**
 * Non-local means (Buades, Coll, Morel, Image Processing On Line 1, 2011): every pixel becomes the mean of those around
 * it, each weighted by how much its patch is like the pixel's own, compared with the deviation of the noise there.
 * Beyond the edge of a map its last pixels go on for patches; there are no pixels to take. Exact where
 * patch^2 * (largest - least value of the guide)^2 is below 2^29, as {@link largestInverse} asks for:
 * x' = floor((sum of weight * x * gain) / (sum of weights) + 1/2).
 * @param image channels x height x width
 * @param deviation of the same shape; below 1 it counts as 1
 * @param guide of the same shape: patches are compared in it
 */
export function nonLocalMeans(
  image: FeatureMap,
  deviation: FeatureMap,
  rule: NonLocalMeansRule,
  guide: FeatureMap = image,
): FeatureMap {
  const { channels, height, width } = image;
  const margin = patchMargin(rule.search, rule.patch);
  const padded = padMap(guide, { fill: 'edge', padding: [margin, margin, margin, margin] });
  const result = emptyMap(channels, height, width);
  for (let channel = 0; channel < channels; channel++) {
    const of = ({ data }: FeatureMap): Int32Array =>
      data.subarray((channel * data.length) / channels, ((channel + 1) * data.length) / channels);
    meansOfPlane({ height, width, values: of(image), padded: of(padded) }, of(deviation), rule, of(result));
  }
  return result;
}

interface Plane {
  readonly height: number;
  readonly width: number;
  /** height x width */
  readonly values: Int32Array;
  /** The guide with a margin. */
  readonly padded: Int32Array;
}

/** @param means height x width, written */
function meansOfPlane(
  { height, width, values, padded }: Plane,
  deviation: Int32Array,
  { search, patch, weights, multiplier, shift, gain }: NonLocalMeansRule,
  means: Int32Array,
): void {
  const bytes = 8 * values.length;
  const columns = ((search ** 2 - 1) / 2) * (width + patch + 3);
  const sizes = [4 * (padded.length + 4), 4 * columns, 4 * (width + 3), 8 * (weights.length + 1)];
  const { call, buffer, addresses } = windowSums.room([...sizes, bytes, bytes, bytes, bytes]);
  const regions = addresses as Eight;
  const [paddedAt, columnsAt, , tableAt, ...planes] = regions;
  new Int32Array(buffer, paddedAt).set(padded);
  new Int32Array(buffer, columnsAt, columns).fill(0);
  new Float64Array(buffer, tableAt).set([...weights, 0]);
  const [numbers, scales, sums, totals] = planes.map(
    (at) => new Float64Array(buffer, at, values.length),
  ) as Four;
  const own = weights[0] as number;
  for (let i = 0; i < values.length; i++) {
    numbers[i] = values[i] as number;
    scales[i] =
      Math.min(largestInverse, Math.floor(multiplier / Math.max(1, deviation[i] as number) ** 2)) /
      2 ** shift;
    sums[i] = own * (values[i] as number);
    totals[i] = own;
  }
  // A call for each row: engines compile it better after some of them.
  for (let y = 0; y < height; y++) call.addRow(y, ...regions, weights.length, height, width, search, patch);
  for (let i = 0; i < means.length; i++) {
    const total = totals[i] as number;
    means[i] = Math.floor((2 * gain * (sums[i] as number) + total) / (2 * total));
  }
}

type Four = [Float64Array, Float64Array, Float64Array, Float64Array];
type Eight = [number, number, number, number, number, number, number, number];
