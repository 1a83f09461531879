// Sums of non-local means for the client: what each pixel gets from every other one of its window. See
// sdk/src/image/non-local-means.ts, which owns the memory and divides.

export { freeAddress } from './free-address';

/** Squares of the differences between two rows of int32, added to (or taken from) the columns; four at once. */
@inline
function addSquares(columns: usize, a: usize, b: usize, count: u32, away: bool): void {
  for (let i: u32 = 0; i < count; i += 4) {
    const at = <usize>i << 2;
    const difference = i32x4.sub(v128.load(a + at), v128.load(b + at));
    const square = i32x4.mul(difference, difference);
    const sum = v128.load(columns + at);
    v128.store(columns + at, away ? i32x4.sub(sum, square) : i32x4.add(sum, square));
  }
}

/** The weight of each of two patch distances, both as float64. */
@inline
function weightsOf(distances: v128, scales: usize, table: usize, places: v128): v128 {
  const place = i32x4.trunc_sat_f64x2_s_zero(f64x2.min(f64x2.mul(distances, v128.load(scales)), places));
  const first = v128.load64_splat(table + (<usize>(<u32>i32x4.extract_lane(place, 0)) << 3));
  return v128.load64_lane(table + (<usize>(<u32>i32x4.extract_lane(place, 1)) << 3), first, 1);
}

/** sums += weights * values and totals += weights, of two pixels. */
@inline
function take(weights: v128, values: usize, sums: usize, totals: usize): void {
  v128.store(sums, f64x2.add(v128.load(sums), f64x2.mul(weights, v128.load(values))));
  v128.store(totals, f64x2.add(v128.load(totals), weights));
}

/** The same for one pixel. */
@inline
function takeOne(distance: f64, scale: usize, table: usize, places: f64, value: usize, sum: usize, total: usize): void {
  const place = <u32>min(distance * load<f64>(scale), places);
  const weight = load<f64>(table + (<usize>place << 3));
  store<f64>(sum, load<f64>(sum) + weight * load<f64>(value));
  store<f64>(total, load<f64>(total) + weight);
}

/**
 * For every pixel and every other one of the square window around it: the sum over their patches of squared differences,
 * times the pixel's scale, cut to whole numbers, selects a weight; the weighted values and the weights are added up. A pair of
 * pixels is looked at once for both: here those of row y with those after them, so rows are called for in order. Patch
 * distances are below 2^31; sums are exact below 2^53.
 * @param padded int32 [height + 2 margin][width + 2 margin], margin = (search + patch) / 2 - 1, and four more
 * @param columns int32 [pairs of the window][width + patch + 3], zeros before the first row
 * @param distances int32 [width + 3]
 * @param table float64 [places + 1], the last one 0
 * @param values float64 [height][width], the map without the margin
 * @param scales float64 [height][width]
 * @param sums float64 [height][width], as are the totals; both are added to
 */
export function addRow(
  y: i32,
  padded: usize,
  columns: usize,
  distances: usize,
  table: usize,
  values: usize,
  scales: usize,
  sums: usize,
  totals: usize,
  places: u32,
  height: i32,
  width: i32,
  search: i32,
  patch: i32,
): void {
  const reach = search >> 1;
  const half = patch >> 1;
  const margin = reach + half;
  const pitch = <usize>(width + 2 * margin) << 2;
  const columnBytes = <usize>(width + patch + 3) << 2;
  const last = f64x2.splat(<f64>places);
  let column = columns;
  for (let down: i32 = 0; down <= reach; down++)
    for (let right: i32 = down == 0 ? 1 : -reach; right <= reach; right++, column += columnBytes) {
      const first = max(0, -right);
      const count = width - abs(right);
      if (y + down >= height || count <= 0) continue;
      const span = <u32>(count + patch - 1);
      // Of the rows of the patch only one comes and, afterwards, one leaves.
      const start = padded + <usize>(y + reach) * pitch + (<usize>(reach + first) << 2);
      const other = start + <usize>down * pitch + <usize>(right << 2);
      for (let row: i32 = y == 0 ? 0 : patch - 1; row < patch; row++)
        addSquares(column, start + <usize>row * pitch, other + <usize>row * pitch, span, false);
      for (let x: i32 = 0; x < count; x += 4) {
        let sum = v128.load(column + (<usize>x << 2));
        for (let k: i32 = 1; k < patch; k++) sum = i32x4.add(sum, v128.load(column + (<usize>(x + k) << 2)));
        v128.store(distances + (<usize>x << 2), sum);
      }
      addSquares(column, start, other, span, true);
      const here = <usize>(y * width + first) << 3;
      const there = <usize>((y + down) * width + first + right) << 3;
      let x: i32 = 0;
      for (; x + 1 < count; x += 2) {
        const distance = f64x2.convert_low_i32x4_s(v128.load64_zero(distances + (<usize>x << 2)));
        const i = here + (<usize>x << 3);
        const j = there + (<usize>x << 3);
        take(weightsOf(distance, scales + i, table, last), values + j, sums + i, totals + i);
        take(weightsOf(distance, scales + j, table, last), values + i, sums + j, totals + j);
      }
      if (x < count) {
        const distance = <f64>load<i32>(distances + (<usize>x << 2));
        const i = here + (<usize>x << 3);
        const j = there + (<usize>x << 3);
        takeOne(distance, scales + i, table, <f64>places, values + j, sums + i, totals + i);
        takeOne(distance, scales + j, table, <f64>places, values + i, sums + j, totals + j);
      }
    }
}
