import type { Readable } from 'node:stream';
import { DenoiseError } from '@cipherdose/sdk/errors';

/**
 * Fills `target` from a byte stream and leaves everything after it in the stream, paused.
 * Nothing is buffered but the chunk at hand.
 * @throws FRAME_LENGTH if the stream ends or breaks before, or the reason of `signal`
 */
export function readExactly(stream: Readable, target: Uint8Array, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    let filled = 0;
    const settle = (done: () => void): void => {
      stream.pause();
      stream.off('data', take).off('end', cut).off('error', cut).off('close', cut);
      signal.removeEventListener('abort', abort);
      done();
    };
    const take = (chunk: Buffer): void => {
      const wanted = target.length - filled;
      target.set(wanted < chunk.length ? chunk.subarray(0, wanted) : chunk, filled);
      filled += Math.min(wanted, chunk.length);
      if (filled < target.length) return;
      settle(resolve);
      if (chunk.length > wanted) stream.unshift(chunk.subarray(wanted));
    };
    const cut = (cause?: unknown): void => {
      const details = { received: filled, expected: target.length };
      settle(() => reject(new DenoiseError('FRAME_LENGTH', details, { cause })));
    };
    const abort = (): void => settle(() => reject(signal.reason as Error));
    if (signal.aborted) return abort();
    if (stream.readableEnded || stream.destroyed) return cut();
    signal.addEventListener('abort', abort);
    stream.on('end', cut).on('error', cut).on('close', cut).on('data', take);
    stream.resume();
  });
}
