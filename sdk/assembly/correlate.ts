// Rows of a correlation in doubles, for the client and for the evaluator in real numbers. See sdk/src/image/correlate.ts.

export { freeAddress } from './free-address';

/**
 * row[x] += the sum over taps of weight * data[offset + x * stride], one tap after another.
 * @param row float64 [count]
 * @param data float64
 * @param stride bytes
 * @param taps [tapCount] of an offset, uint32 in bytes, and at byte 8 a weight, float64
 */
export function addTaps(row: usize, count: u32, data: usize, stride: u32, taps: usize, tapCount: u32): void {
  const end = taps + (<usize>tapCount << 4);
  let x: u32 = 0;
  if (stride == 8)
    for (; x + 8 <= count; x += 8) {
      const target = row + (<usize>x << 3);
      const source = data + (<usize>x << 3);
      let a = v128.load(target);
      let b = v128.load(target, 16);
      let c = v128.load(target, 32);
      let d = v128.load(target, 48);
      for (let tap = taps; tap < end; tap += 16) {
        const at = source + load<u32>(tap);
        const weight = v128.load64_splat(tap, 8);
        a = f64x2.add(a, f64x2.mul(weight, v128.load(at)));
        b = f64x2.add(b, f64x2.mul(weight, v128.load(at, 16)));
        c = f64x2.add(c, f64x2.mul(weight, v128.load(at, 32)));
        d = f64x2.add(d, f64x2.mul(weight, v128.load(at, 48)));
      }
      v128.store(target, a);
      v128.store(target, b, 16);
      v128.store(target, c, 32);
      v128.store(target, d, 48);
    }
  for (; x < count; x++) {
    const source = data + <usize>x * stride;
    let sum = load<f64>(row + (<usize>x << 3));
    for (let tap = taps; tap < end; tap += 16) sum += load<f64>(tap, 8) * load<f64>(source + load<u32>(tap));
    store<f64>(row + (<usize>x << 3), sum);
  }
}
