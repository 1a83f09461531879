import type { Readable } from 'node:stream';
import { DenoiseError } from '@cipherdose/sdk/errors';
import { checkFrame, decodeFrameHeader, frameHeaderBytes } from '@cipherdose/sdk/protocol';
import type { ModelSource } from '../model-source.ts';
import { expectFrame, type ExpectedFrame } from './expect-frame.ts';
import { readExactly } from './read-exactly.ts';

/** A frame on its way in: where it was sent, how long it says it is, and its bytes. */
export interface IncomingFrame {
  readonly id: string;
  readonly layer: number;
  /** Undefined if the sender did not say. */
  readonly contentLength: number | undefined;
  readonly body: Readable;
}

export interface ReceivedFrame extends ExpectedFrame {
  /** Header and body, in a buffer of their own. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Length of `bytes`, also once they were transferred away. */
  readonly bytesIn: number;
}

/**
 * Reads and checks the header, and only if everything fits allocates the body and reads it.
 * @throws MODEL_UNKNOWN, MODE_UNSUPPORTED, LAYER_UNKNOWN, BODY_LENGTH_REQUIRED, BODY_TOO_LARGE, BODY_TIMEOUT or any FRAME_ code but
 *   FRAME_RESIDUE; the rest of the body is then left in the stream
 */
export async function receiveFrame(
  models: ModelSource,
  incoming: IncomingFrame,
  { maxBodyBytes, bodyTimeoutMs }: { readonly maxBodyBytes: number; readonly bodyTimeoutMs: number },
): Promise<ReceivedFrame> {
  const { id, layer, contentLength, body } = incoming;
  models.get(id);
  if (contentLength === undefined) throw new DenoiseError('BODY_LENGTH_REQUIRED');
  if (contentLength > maxBodyBytes)
    throw new DenoiseError('BODY_TOO_LARGE', { bytes: contentLength, most: maxBodyBytes });
  if (contentLength < frameHeaderBytes)
    throw new DenoiseError('FRAME_LENGTH', { bytes: contentLength, least: frameHeaderBytes });

  const deadline = new AbortController();
  const timer = setTimeout(() => {
    deadline.abort(new DenoiseError('BODY_TIMEOUT', { milliseconds: bodyTimeoutMs }));
  }, bodyTimeoutMs);
  try {
    const headerBytes = new Uint8Array(frameHeaderBytes);
    await readExactly(body, headerBytes, deadline.signal);
    const header = decodeFrameHeader(headerBytes, 'request');
    const expected = expectFrame(models, { id, layer }, header);
    checkFrame(header, expected.exchange.request, contentLength);

    const bytes = new Uint8Array(contentLength);
    bytes.set(headerBytes);
    await readExactly(body, bytes.subarray(frameHeaderBytes), deadline.signal);
    return { ...expected, bytes, bytesIn: contentLength };
  } finally {
    clearTimeout(timer);
  }
}
