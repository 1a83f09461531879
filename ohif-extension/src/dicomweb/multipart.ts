import { DenoiseError } from '@cipherdose/sdk/errors';

const ascii = new TextEncoder();
const crlf = '\r\n';

/** A body of one part, multipart/related as in PS3.18 section 8.6.1.2. */
export function encodePart(part: Uint8Array<ArrayBuffer>, contentType: string, boundary: string): Blob {
  const head = `--${boundary}${crlf}Content-Type: ${contentType}${crlf}${crlf}`;
  return new Blob([head, part, `${crlf}--${boundary}--${crlf}`]);
}

/** The first part of a multipart body. @throws DICOM_PARSE if the body has no such part */
export function firstPart(body: Uint8Array, contentType: string): Uint8Array {
  const [, quoted, plain] = /boundary=(?:"([^"]+)"|([^;\s]+))/i.exec(contentType) ?? [];
  const boundary = quoted ?? plain;
  if (boundary === undefined) throw new DenoiseError('DICOM_PARSE', { reason: 'no boundary' });
  const start = find(body, ascii.encode(`--${boundary}`), 0);
  const content = start < 0 ? -1 : find(body, ascii.encode(crlf + crlf), start);
  if (content < 0) throw new DenoiseError('DICOM_PARSE', { reason: 'no part' });
  const end = find(body, ascii.encode(`${crlf}--${boundary}`), content + 4);
  return body.subarray(content + 4, end < 0 ? body.length : end);
}

/** Where `wanted` first stands in `bytes`, or -1. */
function find(bytes: Uint8Array, wanted: Uint8Array, from: number): number {
  const first = wanted[0] as number;
  for (let at = bytes.indexOf(first, from); at >= 0; at = bytes.indexOf(first, at + 1))
    if (wanted.every((byte, i) => bytes[at + i] === byte)) return at;
  return -1;
}
