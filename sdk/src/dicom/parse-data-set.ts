import { DenoiseError } from '../errors/index.ts';
import {
  hasLongLength,
  isGroupLength,
  isKnownVr,
  isPrivateCreator,
  unitBytes,
  type DataElement,
  type DataSet,
} from './data-set.ts';
import { dictionaryVr } from './dcmjs-library.ts';
import { tags } from './tags.ts';
import type { Encoding } from './transfer-syntaxes.ts';

const undefinedLength = 0xffffffff;
const item = 0xfffee000;
const itemEnd = 0xfffee00d;
const sequenceEnd = 0xfffee0dd;
const implicit: Encoding = { explicit: false, littleEndian: true };
const nothing = new Uint8Array(0);
/** Deepest nesting of sequences that is followed; real CT objects stay below 5. */
const deepest = 16;

/**
 * Reads data elements (PS3.5 section 7) to the end of `bytes`, or until `stop` holds for the next tag. Values are views of
 * `bytes`; only big endian numbers are copied and swapped.
 * @throws DICOM_PARSE if an element reaches beyond its container, has no valid VR, or comes twice.
 */
export function parseDataSet(
  bytes: Uint8Array,
  start: number,
  encoding: Encoding,
  stop: (tag: number) => boolean = () => false,
): { readonly dataSet: DataSet; readonly position: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

  /** Reads elements from `at` up to `limit`, or up to and including an item delimiter if the item has no length. */
  function readElements(at: number, limit: number, order: Encoding, delimited: boolean, depth: number) {
    if (depth > deepest) refuse('nesting');
    const dataSet = new Map<number, DataElement>();
    let position = at;
    while (position < limit) {
      const { tag, size } = readTag(position, limit, order);
      if (delimited && tag === itemEnd) return { dataSet, position: position + size };
      if (depth === 0 && (stop(tag) || onlyZeros(tag, position, limit))) return { dataSet, position };
      if (tag >>> 16 === 0xfffe) refuse('delimiter');
      if (dataSet.has(tag)) refuse('duplicate');
      const read = readElement(tag, position, limit, order, depth);
      dataSet.set(tag, read.element);
      position = read.position;
    }
    if (delimited) refuse('truncated');
    return { dataSet, position };
  }

  function readTag(at: number, limit: number, { littleEndian }: Encoding) {
    if (at + 8 > limit) refuse('truncated');
    const tag = view.getUint16(at, littleEndian) * 65536 + view.getUint16(at + 2, littleEndian);
    return { tag, length: view.getUint32(at + 4, littleEndian), size: 8 };
  }

  /** Some writers fill the file with zeros up to a block size. */
  const onlyZeros = (tag: number, at: number, limit: number): boolean =>
    tag === 0 && bytes.subarray(at, limit).every((byte) => byte === 0);

  function readElement(tag: number, at: number, limit: number, order: Encoding, depth: number) {
    const header = order.explicit
      ? explicitHeader(tag, at, limit, order)
      : implicitHeader(tag, at, limit, order);
    const { vr, length, position } = header;
    if (length === undefinedLength && tag === tags.pixelData)
      return {
        element: { vr, value: nothing, encapsulated: true as const },
        position: skipFragments(position, limit, order),
      };
    // An unknown value without a length is a sequence in Implicit VR Little Endian. PS3.5 section 6.2.2
    if (vr === 'SQ' || (vr === 'UN' && length === undefinedLength)) {
      const { items, position: after } = readItems(
        position,
        limit,
        length,
        vr === 'SQ' ? order : implicit,
        depth,
      );
      return { element: { vr: 'SQ', value: nothing, items }, position: after };
    }
    if (length === undefinedLength) refuse('length');
    if (position + length > limit) refuse('truncated');
    const value = bytes.subarray(position, position + length);
    return {
      element: { vr, value: order.littleEndian ? value : swap(value, unitBytes(vr)) },
      position: position + length,
    };
  }

  function explicitHeader(tag: number, at: number, limit: number, { littleEndian }: Encoding) {
    const vr = String.fromCharCode(view.getUint8(at + 4), view.getUint8(at + 5));
    if (!isKnownVr(vr)) refuse('value representation');
    if (!hasLongLength(vr)) return { vr, length: view.getUint16(at + 6, littleEndian), position: at + 8 };
    if (at + 12 > limit) refuse('truncated');
    const length = view.getUint32(at + 8, littleEndian);
    // A known attribute sent as unknown gets its VR back; its value is in little endian order already.
    const dictionary = vr === 'UN' ? dictionaryVr(tag) : undefined;
    const restored = dictionary && dictionary !== 'SQ' && littleEndian ? dictionary : vr;
    return { vr: restored, length, position: at + 12 };
  }

  function implicitHeader(tag: number, at: number, limit: number, order: Encoding) {
    const { length, size } = readTag(at, limit, order);
    const vr = isGroupLength(tag) ? 'UL' : isPrivateCreator(tag) ? 'LO' : (dictionaryVr(tag) ?? 'UN');
    return { vr, length, position: at + size };
  }

  function readItems(at: number, limit: number, length: number, order: Encoding, depth: number) {
    const delimited = length === undefinedLength;
    const end = delimited ? limit : at + length;
    if (end > limit) refuse('truncated');
    const items: DataSet[] = [];
    let position = at;
    while (position < end) {
      const { tag, length: itemLength, size } = readTag(position, end, order);
      position += size;
      if (delimited && tag === sequenceEnd) return { items, position };
      if (tag !== item) refuse('item');
      const open = itemLength === undefinedLength;
      if (!open && position + itemLength > end) refuse('truncated');
      const read = readElements(position, open ? end : position + itemLength, order, open, depth + 1);
      items.push(read.dataSet);
      position = read.position;
    }
    if (delimited) refuse('truncated');
    return { items, position };
  }

  function skipFragments(at: number, limit: number, order: Encoding): number {
    for (let position = at; ;) {
      const { tag, length, size } = readTag(position, limit, order);
      position += size;
      if (tag === sequenceEnd) return position;
      if (tag !== item || position + length > limit) refuse('fragment');
      position += length;
    }
  }

  return readElements(start, bytes.length, encoding, false, 0);
}

function swap(value: Uint8Array, unit: number): Uint8Array {
  if (unit === 1) return value;
  if (value.length % unit !== 0) refuse('length');
  const swapped = Uint8Array.from(value);
  for (let at = 0; at < swapped.length; at += unit) swapped.subarray(at, at + unit).reverse();
  return swapped;
}

function refuse(reason: string): never {
  throw new DenoiseError('DICOM_PARSE', { reason });
}
