/**
 * Frees the memory of a buffer that nobody needs any more, with all views of it. Left to the collector, messages of
 * megabytes would stand in memory long after their time: on the heap they count for next to nothing.
 */
export function giveBack({ buffer }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer) buffer.transfer(0);
}
