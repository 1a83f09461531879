import { move } from 'piscina';
import { DenoiseError } from '@cipherdose/sdk/errors';
import type { DecodeAnswer } from './decode-task.ts';
import { toNativeSyntax } from '@cipherdose/sdk/pixels';

// OpenJPEG tells its progress by console.log, which would get between the bridge's own log lines.
globalThis.console.log = () => undefined;

/** Runs in a worker thread: decoding JPEG 2000 takes up to two seconds a slice. */
export default async function decode(bytes: Uint8Array): Promise<DecodeAnswer> {
  try {
    const native = await toNativeSyntax(bytes);
    move(native.buffer as ArrayBuffer);
    return { ok: true, bytes: native };
  } catch (error) {
    return {
      ok: false,
      error: DenoiseError.wrap(error, 'DICOM_DECODE', { reason: 'unexpected' }).serialise(),
    };
  }
}
