import { data, log } from 'dcmjs';

// dcmjs logs values it dislikes, and those can be patient data. (false: not persisted to localStorage.)
log.setLevel('silent', false);

const { DicomDict, DicomMetaDictionary } = data;

export type AttributeValue =
  { readonly vr: string; readonly values: readonly (string | number | ArrayBuffer)[] } | SequenceValue;

export interface SequenceValue {
  readonly vr: 'SQ';
  readonly items: readonly AttributeValues[];
}

/** Attributes by tag. */
export type AttributeValues = ReadonlyMap<number, AttributeValue>;

const tagName = (tag: number): string => tag.toString(16).toUpperCase().padStart(8, '0');

/**
 * @returns the value representation in the data dictionary, undefined for private and unknown tags. Where the standard
 * leaves a choice: 'xs' is US or SS by Pixel Representation, 'ox' and 'lt' hold words.
 */
export function dictionaryVr(tag: number): string | undefined {
  return DicomMetaDictionary.dictionary[tagName(tag)]?.vr;
}

/** @returns the keyword of PS3.6, or the tag in hexadecimal. */
export const attributeName = (tag: number): string =>
  DicomMetaDictionary.dictionary[tagName(tag)]?.name ?? tagName(tag);

/** @returns a whole DICOM file, Explicit VR Little Endian, with the file meta information given. ASCII text only. */
export function encodeFile(meta: AttributeValues, attributes: AttributeValues): Uint8Array {
  const file = new DicomDict(toDict(meta));
  file.dict = toDict(attributes);
  return new Uint8Array(file.write());
}

interface DcmjsAttribute {
  vr: string;
  Value: unknown[];
}

function toDict(attributes: AttributeValues): Record<string, DcmjsAttribute> {
  const entries = [...attributes].map(([tag, value]): [string, DcmjsAttribute] => [
    tagName(tag),
    'items' in value
      ? { vr: 'SQ', Value: value.items.map(toDict) }
      : { vr: value.vr, Value: [...value.values] },
  ]);
  return Object.fromEntries(entries);
}
