import { makeCtDicom, type CtObject } from './make-ct.ts';

/** Slices of a noisy disc, 64x64 unless said otherwise; every series has other pixels. */
export function syntheticSeries(
  series: number,
  slices: number,
  changes: Partial<CtObject> = {},
): Uint8Array[] {
  const { rows = 64, columns = 64 } = changes;
  return Array.from({ length: slices }, (_slice, index) => {
    let state = series * 1000 + index + 1;
    const noise = (): number => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return ((state >>> 16) % 81) - 40;
    };
    const hu = Array.from({ length: rows * columns }, (_pixel, at) => {
      const [y, x] = [Math.floor(at / columns) - rows / 2, (at % columns) - columns / 2];
      return (x * x + y * y < (rows * rows) / 5 ? 40 : -1000) + noise();
    });
    return makeCtDicom({
      ...{ rows, columns, hu, bitsStored: 16, signed: true, instanceNumber: index + 1 },
      seriesInstanceUid: `2.25.77${series}`,
      sopInstanceUid: `2.25.88${series}000${index}`,
      ...changes,
    });
  });
}
