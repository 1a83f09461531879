import type { DataSet, Element } from 'dicom-parser';

const explicitLittleEndian = '1.2.840.10008.1.2.1\0';
/** Tag, VR, two reserved bytes and a 32-bit length: PS3.5 section 7.1.2 */
const longHeader = 12;

/**
 * Puts words in the place of encapsulated pixels. The data set is Explicit VR Little Endian in every compressed transfer
 * syntax, so only the file meta information has to say so.
 */
export function spliceNativePixels(
  bytes: Uint8Array,
  dataSet: DataSet,
  pixels: Element,
  words: Uint8Array,
): Uint8Array {
  const syntax = dataSet.elements['x00020010'] as Element;
  const start = pixels.dataOffset - longHeader;
  const end = pixels.dataOffset + pixels.length;
  const parts = [
    Uint8Array.from(bytes.subarray(0, syntax.dataOffset)),
    new TextEncoder().encode(explicitLittleEndian),
    bytes.subarray(syntax.dataOffset + syntax.length, start),
    pixelHeader(words.length),
    words,
    bytes.subarray(end),
  ];
  const head = parts[0] as Uint8Array;
  const view = new DataView(head.buffer);
  view.setUint16(syntax.dataOffset - 2, explicitLittleEndian.length, true);
  const groupLength = dataSet.elements['x00020000'];
  if (groupLength)
    view.setUint32(
      groupLength.dataOffset,
      (dataSet.uint32('x00020000') ?? 0) + explicitLittleEndian.length - syntax.length,
      true,
    );
  return concatenate(parts);
}

function pixelHeader(length: number): Uint8Array {
  const header = Uint8Array.of(0xe0, 0x7f, 0x10, 0x00, 0x4f, 0x57, 0, 0, 0, 0, 0, 0);
  new DataView(header.buffer).setUint32(8, length, true);
  return header;
}

/** One array with the bytes of all, one after the other. */
export function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
