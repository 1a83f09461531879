import { fillByte, hasLongLength, isKnownVr, joinBytes, type DataElement, type DataSet } from './data-set.ts';

/** Where the data dictionary leaves the value representation open, Pixel Representation decides. */
const openVrs = (signed: boolean): Readonly<Record<string, string>> => ({
  ...{ xs: signed ? 'SS' : 'US', ox: 'OW', lt: 'OW', up: 'UL' },
});

/**
 * Encodes in Explicit VR Little Endian (PS3.5 section 7.1.2), in the order of the tags; values keep their bytes.
 * @param signed Whether Pixel Representation is 1.
 */
export function encodeDataSet(dataSet: DataSet, signed: boolean): Uint8Array {
  const open = openVrs(signed);
  const inOrder = [...dataSet].sort(([first], [second]) => first - second);
  return joinBytes(inOrder.flatMap(([tag, element]) => encodeElement(tag, element)));

  function encodeElement(tag: number, { vr, value, items }: DataElement): Uint8Array[] {
    if (items) {
      const body = items.map((item) => encodeItem(encodeDataSet(item, signed)));
      const length = body.reduce((sum, item) => sum + item.length, 0);
      return [encodeHeader(tag, 'SQ', length), ...body];
    }
    const closed = open[vr] ?? (isKnownVr(vr) ? vr : 'UN');
    const odd = value.length % 2 === 1;
    const header = encodeHeader(tag, closed, value.length + (odd ? 1 : 0));
    return odd ? [header, value, Uint8Array.of(fillByte(closed))] : [header, value];
  }
}

function encodeHeader(tag: number, vr: string, length: number): Uint8Array {
  // A value too long for its VR is written as unknown, PS3.5 section 6.2.2
  const fitting = length > 0xffff && !hasLongLength(vr) ? 'UN' : vr;
  const long = hasLongLength(fitting);
  const header = new DataView(new ArrayBuffer(long ? 12 : 8));
  header.setUint16(0, tag >>> 16, true);
  header.setUint16(2, tag & 0xffff, true);
  header.setUint8(4, fitting.charCodeAt(0));
  header.setUint8(5, fitting.charCodeAt(1));
  if (long) header.setUint32(8, length, true);
  else header.setUint16(6, length, true);
  return new Uint8Array(header.buffer);
}

function encodeItem(body: Uint8Array): Uint8Array {
  const item = new Uint8Array(8 + body.length);
  const view = new DataView(item.buffer);
  view.setUint16(0, 0xfffe, true);
  view.setUint16(2, 0xe000, true);
  view.setUint32(4, body.length, true);
  item.set(body, 8);
  return item;
}
