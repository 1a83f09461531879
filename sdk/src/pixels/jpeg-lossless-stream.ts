import { refuse } from './check-stream.ts';

/** JPEG Lossless, any prediction and first-order prediction. */
export const isJpegLossless = (transferSyntax: string): boolean =>
  transferSyntax === '1.2.840.10008.1.2.4.57' || transferSyntax === '1.2.840.10008.1.2.4.70';

/**
 * jpeg-lossless-decoder-js reads a byte ahead and takes the marker that it finds there for the end, which spoils the last
 * pixel in some streams. Zeros between the last bits and the end marker keep it from doing so. Streams with restart
 * markers would have the same at every restart, so they are not decoded.
 * @throws DICOM_DECODE
 */
export function withRoomBeforeEnd(frame: Uint8Array): Uint8Array {
  if (restartInterval(frame) !== 0) refuse('restart markers in a lossless JPEG stream');
  const end = frame.findLastIndex((byte, at) => byte === 0xd9 && frame[at - 1] === 0xff) - 1;
  const padded = new Uint8Array(frame.length + padding);
  padded.set(frame.subarray(0, end));
  padded.set(frame.subarray(end), end + padding);
  return padded;
}
const padding = 8;

/** Walks the marker segments (ITU-T T.81 annex B) up to the scan. @returns what Define Restart Interval says, or 0 */
function restartInterval(frame: Uint8Array): number {
  const word = (at: number): number => (frame[at] ?? 0) * 256 + (frame[at + 1] ?? 0);
  const startOfScan = 0xffda;
  const defineRestartInterval = 0xffdd;
  let interval = 0;
  for (let at = 2; at + 4 <= frame.length; at += 2 + word(at + 2)) {
    const marker = word(at);
    if (marker === startOfScan) return interval;
    if (marker >>> 8 !== 0xff) refuse('damaged stream');
    if (marker === defineRestartInterval) interval = word(at + 4);
  }
  return refuse('a JPEG stream without a scan');
}
