import { DenoiseError } from '../errors/index.ts';

/**
 * Refuses compressed frames that decoders would fill up with zeros or old memory without a word: some do so when a stream
 * ends early. Called before the decoder.
 * @throws DICOM_DECODE
 */
export function checkStream(frame: Uint8Array, transferSyntax: string, pixels: number): void {
  if (transferSyntax === rleLossless) checkRle(frame, pixels);
  else checkMarkers(frame);
}

export const rleLossless = '1.2.840.10008.1.2.5';

/** JPEG, JPEG-LS and JPEG 2000 begin with FF D8 or FF 4F and end with FF D9, after which writers put some fill bytes. */
function checkMarkers(frame: Uint8Array): void {
  const start = (frame[0] ?? 0) * 256 + (frame[1] ?? 0);
  if (start !== 0xffd8 && start !== 0xff4f) refuse('the stream has no beginning');
  const end = frame.findLastIndex((byte) => byte !== 0 && byte !== 0xff);
  if (end < 3 || frame[end] !== 0xd9 || frame[end - 1] !== 0xff) refuse('the stream has no end');
}

/** Walks the PackBits segments (PS3.5 annex G): two of them, the high bytes and the low bytes, each of `pixels` bytes. */
function checkRle(frame: Uint8Array, pixels: number): void {
  if (frame.length < 64) refuse('the stream is shorter than its header');
  const header = new DataView(frame.buffer, frame.byteOffset, 64);
  if (header.getUint32(0, true) !== 2) refuse('not two segments');
  const starts = [header.getUint32(4, true), header.getUint32(8, true)] as const;
  checkSegment(frame, starts[0], starts[1], pixels);
  checkSegment(frame, starts[1], frame.length, pixels);
}

function checkSegment(frame: Uint8Array, start: number, end: number, pixels: number): void {
  if (start < 64 || end > frame.length || start >= end) refuse('a segment lies outside the stream');
  let bytes = 0;
  let at = start;
  while (at < end && bytes < pixels) {
    const control = frame[at++] as number;
    if (control === 128) continue;
    const count = control < 128 ? control + 1 : 257 - control;
    at += control < 128 ? count : 1;
    bytes += count;
  }
  if (at > end || bytes !== pixels) refuse('a segment has another length than the image');
}

export function refuse(reason: string, details: Readonly<Record<string, number | string>> = {}): never {
  throw new DenoiseError('DICOM_DECODE', { reason, ...details });
}
