/** Shown minus source, HU, clamped to 16 bits. */
export function subtract(shown: Int16Array, source: Int16Array, target: Int16Array): void {
  for (let i = 0; i < target.length; i++)
    target[i] = Math.max(-32768, Math.min(32767, (shown[i] as number) - (source[i] as number)));
}
