/**
 * Source moved towards the result by a strength, in whole HU: source + round(percent / 100 * (denoised - source)),
 * halves up. 0 gives the source and 100 the result, exactly.
 * @param target takes the HU; all three have the same length
 */
export function blend(source: Int16Array, denoised: Int16Array, percent: number, target: Int16Array): void {
  for (let i = 0; i < target.length; i++) {
    const from = source[i] as number;
    target[i] = from + Math.floor((percent * ((denoised[i] as number) - from) + 50) / 100);
  }
}

/** Shown minus source, HU, clamped to 16 bits. */
export function subtract(shown: Int16Array, source: Int16Array, target: Int16Array): void {
  for (let i = 0; i < target.length; i++)
    target[i] = Math.max(-32768, Math.min(32767, (shown[i] as number) - (source[i] as number)));
}
