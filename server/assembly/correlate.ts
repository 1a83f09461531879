// Sums of int16 x int16 products for the clear evaluator, two input channels and four pixels an instruction. Sums are
// taken modulo 2^32: exact, because every accumulator of a proved layer lies within 31 bits.

export { freeAddress } from '../../sdk/assembly/free-address';

/**
 * Two output channels of a convolution of stride 1.
 * @param data [pair of channels][row][pitch][2] int16, zero padding included; 20 pixels behind the last row are read
 * @param weights for each of the two output channels [pair of channels][kernel row][kernel column][2] int16
 * @param output for each of the two [outHeight][outPitch] int32; holds the bias before
 * @param outPitch pixels of an output row, a multiple of 16
 */
export function correlateTwo(
  data: usize,
  weights: usize,
  output: usize,
  pairs: u32,
  kernelRows: u32,
  kernelColumns: u32,
  height: u32,
  pitch: u32,
  outHeight: u32,
  outPitch: u32,
): void {
  const rowBytes = <usize>pitch << 2;
  const planeBytes = rowBytes * height;
  const second = <usize>(pairs * kernelRows * kernelColumns) << 2;
  const outPlane = <usize>(outHeight * outPitch) << 2;
  for (let y: u32 = 0; y < outHeight; y++)
    for (let x: u32 = 0; x < outPitch; x += 16) {
      const target = output + (<usize>(y * outPitch + x) << 2);
      let a0 = v128.load(target);
      let a1 = v128.load(target, 16);
      let a2 = v128.load(target, 32);
      let a3 = v128.load(target, 48);
      let b0 = v128.load(target + outPlane);
      let b1 = v128.load(target + outPlane, 16);
      let b2 = v128.load(target + outPlane, 32);
      let b3 = v128.load(target + outPlane, 48);
      let w = weights;
      let plane = data + y * rowBytes + (<usize>x << 2);
      for (let pair: u32 = 0; pair < pairs; pair++) {
        let row = plane;
        for (let ky: u32 = 0; ky < kernelRows; ky++) {
          let at = row;
          for (let kx: u32 = 0; kx < kernelColumns; kx++) {
            const first = v128.load32_splat(w);
            const other = v128.load32_splat(w + second);
            const d0 = v128.load(at);
            const d1 = v128.load(at, 16);
            const d2 = v128.load(at, 32);
            const d3 = v128.load(at, 48);
            a0 = i32x4.add(a0, i32x4.dot_i16x8_s(d0, first));
            a1 = i32x4.add(a1, i32x4.dot_i16x8_s(d1, first));
            a2 = i32x4.add(a2, i32x4.dot_i16x8_s(d2, first));
            a3 = i32x4.add(a3, i32x4.dot_i16x8_s(d3, first));
            b0 = i32x4.add(b0, i32x4.dot_i16x8_s(d0, other));
            b1 = i32x4.add(b1, i32x4.dot_i16x8_s(d1, other));
            b2 = i32x4.add(b2, i32x4.dot_i16x8_s(d2, other));
            b3 = i32x4.add(b3, i32x4.dot_i16x8_s(d3, other));
            w += 4;
            at += 4;
          }
          row += rowBytes;
        }
        plane += planeBytes;
      }
      v128.store(target, a0);
      v128.store(target, a1, 16);
      v128.store(target, a2, 32);
      v128.store(target, a3, 48);
      v128.store(target + outPlane, b0);
      v128.store(target + outPlane, b1, 16);
      v128.store(target + outPlane, b2, 32);
      v128.store(target + outPlane, b3, 48);
    }
}
