/** Fills a view with secret, uniform bytes. Tests inject a seeded one; nothing else may. */
export type RandomSource = (target: Uint8Array) => void;

const quota = 65_536; // of crypto.getRandomValues

/** The system's generator, in Node and in browsers. */
export const systemRandom: RandomSource = (target) => {
  for (let at = 0; at < target.length; at += quota)
    crypto.getRandomValues(
      target.subarray(at, Math.min(target.length, at + quota)) as Uint8Array<ArrayBuffer>,
    );
};

/**
 * Fills a view with values that are uniform modulo 2^bits.
 * @param bits 1..32
 */
export function drawUniform(random: RandomSource, target: Uint32Array, bits: number): void {
  random(new Uint8Array(target.buffer, target.byteOffset, target.byteLength));
  const mask = 2 ** bits - 1;
  for (let i = 0; i < target.length; i++) target[i] = (target[i] as number) & mask;
}

/** @returns `length` bytes of a source */
export function randomBytes(random: RandomSource, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  random(bytes);
  return bytes;
}
