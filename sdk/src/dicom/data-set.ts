/** One attribute. `value` is exactly what the file holds, in little endian order; text is never decoded and encoded. */
export interface DataElement {
  readonly vr: string;
  readonly value: Uint8Array;
  /** Present for sequences, whose `value` is empty. */
  readonly items?: readonly DataSet[];
  /** Compressed pixel data: the fragments are not kept. */
  readonly encapsulated?: true;
}

/** Attributes by tag, group * 65536 + element. */
export type DataSet = ReadonlyMap<number, DataElement>;

export const isPrivate = (tag: number): boolean => ((tag >>> 16) & 1) === 1;
export const isGroupLength = (tag: number): boolean => (tag & 0xffff) === 0;
/** (gggg,0010-00FF) of an odd group names the owner of a block of private attributes. */
export const isPrivateCreator = (tag: number): boolean =>
  isPrivate(tag) && (tag & 0xffff) >= 0x10 && (tag & 0xffff) <= 0xff;

/** Bytes of one number of a binary value representation, for swapping; 1 for text and byte strings. PS3.5 section 6.2 */
export const unitBytes = (vr: string): number => unitsOf[vr] ?? 1;
const unitsOf: Readonly<Record<string, number>> = {
  ...{ US: 2, SS: 2, OW: 2, AT: 2, UL: 4, SL: 4, FL: 4, OF: 4, OL: 4 },
  ...{ FD: 8, OD: 8, OV: 8, SV: 8, UV: 8 },
};

const longVrs = ['OB', 'OD', 'OF', 'OL', 'OV', 'OW', 'SQ', 'SV', 'UC', 'UN', 'UR', 'UT', 'UV'];
const shortVrs = 'AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US'.split(' ');
const long = new Set(longVrs);
const known = new Set([...longVrs, ...shortVrs]);

export const isKnownVr = (vr: string): boolean => known.has(vr);
/** Whether explicit VR encoding gives this VR a 32-bit length. PS3.5 section 7.1.2 */
export const hasLongLength = (vr: string): boolean => long.has(vr);
/** Values of odd length are filled with a space if they are text, else with a zero byte. */
export const fillByte = (vr: string): number =>
  vr === 'UI' || vr === 'UN' || vr === 'OB' || unitBytes(vr) > 1 ? 0 : 0x20;

export function joinBytes(chunks: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(chunks.reduce((length, chunk) => length + chunk.length, 0));
  let position = 0;
  for (const chunk of chunks) {
    joined.set(chunk, position);
    position += chunk.length;
  }
  return joined;
}
