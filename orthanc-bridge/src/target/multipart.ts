import { DenoiseError } from '@cipherdose/sdk/errors';

/** A multipart/related body with one DICOM object (PS3.18 section 8.7.3.2). */
export const multipartBody = (bytes: Uint8Array, boundary: string): Uint8Array =>
  Buffer.concat([
    Buffer.from(`--${boundary}\r\nContent-Type: application/dicom\r\n\r\n`, 'latin1'),
    bytes,
    Buffer.from(`\r\n--${boundary}--\r\n`, 'latin1'),
  ]);

/** @returns the first part of a multipart body. @throws ORTHANC_RESPONSE */
export function firstPart(body: Uint8Array): Uint8Array {
  const buffer = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const lineEnd = buffer.indexOf('\r\n');
  const start = buffer.indexOf('\r\n\r\n');
  const boundary = buffer.subarray(0, Math.max(0, lineEnd)).toString('latin1');
  const end = boundary.startsWith('--') ? buffer.indexOf(`\r\n${boundary}`, start) : -1;
  if (start < 0 || end < 0) throw new DenoiseError('ORTHANC_RESPONSE', { reason: 'not a multipart answer' });
  return Uint8Array.from(buffer.subarray(start + 4, end));
}
