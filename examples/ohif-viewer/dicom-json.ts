import type { DataElement, DataSet } from '@cipherdose/sdk/dicom';

/** One attribute of the DICOM JSON model, PS3.18 annex F. */
export interface JsonAttribute {
  readonly vr: string;
  readonly Value?: readonly unknown[];
}
export type JsonDataSet = Readonly<Record<string, JsonAttribute>>;

const binary: Readonly<Record<string, (view: DataView, at: number) => number>> = {
  US: (view, at) => view.getUint16(at, true),
  SS: (view, at) => view.getInt16(at, true),
  UL: (view, at) => view.getUint32(at, true),
  SL: (view, at) => view.getInt32(at, true),
  FL: (view, at) => view.getFloat32(at, true),
  FD: (view, at) => view.getFloat64(at, true),
};
const bytesOf: Readonly<Record<string, number>> = { US: 2, SS: 2, UL: 4, SL: 4, FL: 4, FD: 8 };
const texts = new Set('AE AS CS DA DS DT IS LO LT PN SH ST TM UC UI UR UT'.split(' '));
/** Backslashes in these belong to the text. */
const oneValue = new Set(['LT', 'ST', 'UT', 'UR']);

/** @returns the attributes by tag; bulk data (pixels, private binary values) are left out. Text is taken as Latin-1. */
export function toDicomJson(dataSet: DataSet): JsonDataSet {
  return Object.fromEntries(
    [...dataSet].flatMap(([tag, element]) => {
      const attribute = toAttribute(element);
      return attribute ? [[tag.toString(16).toUpperCase().padStart(8, '0'), attribute]] : [];
    }),
  );
}

function toAttribute({ vr, value, items }: DataElement): JsonAttribute | undefined {
  if (items) return { vr, Value: items.map(toDicomJson) };
  const read = binary[vr];
  const size = bytesOf[vr];
  if (read && size) {
    const view = new DataView(value.buffer, value.byteOffset, value.byteLength);
    const count = Math.floor(value.length / size);
    return { vr, Value: Array.from({ length: count }, (_value, index) => read(view, index * size)) };
  }
  if (!texts.has(vr)) return undefined;
  const text = Buffer.from(value)
    .toString('latin1')
    .replace(/[ \0]+$/, '');
  if (text === '') return { vr };
  const values = oneValue.has(vr) ? [text] : text.split('\\').map((one) => one.trim());
  if (vr === 'DS' || vr === 'IS')
    return { vr, Value: values.map((one) => (one === '' ? null : Number(one))) };
  return { vr, Value: vr === 'PN' ? values.map((Alphabetic) => ({ Alphabetic })) : values };
}
