import { invalid, optionalWord, requiredWord } from './attributes.ts';
import type { DataSet } from './data-set.ts';
import { tags } from './tags.ts';

/** How 16-bit words hold stored values: `bitsStored` low bits, two's complement if signed. PS3.5 section 8.1.1 */
export interface StoredFormat {
  readonly signed: boolean;
  readonly bitsStored: number;
  /** Smallest and largest value that the stored bits can hold. */
  readonly low: number;
  readonly high: number;
}

/** @throws DICOM_ATTRIBUTE_MISSING, DICOM_ATTRIBUTE_INVALID; words have 16 bits here, callers check BitsAllocated. */
export function readStoredFormat(dataSet: DataSet): StoredFormat {
  const bitsStored = requiredWord(dataSet, tags.bitsStored);
  if (bitsStored < 1 || bitsStored > 16) invalid(tags.bitsStored, 'not in 1..16', { bitsStored });
  const highBit = optionalWord(dataSet, tags.highBit) ?? bitsStored - 1;
  if (highBit !== bitsStored - 1) invalid(tags.highBit, 'not the highest stored bit', { highBit });
  const representation = requiredWord(dataSet, tags.pixelRepresentation);
  if (representation > 1) invalid(tags.pixelRepresentation, 'neither 0 nor 1', { representation });
  return storedFormat(representation === 1, bitsStored);
}

export function storedFormat(signed: boolean, bitsStored: number): StoredFormat {
  const half = 2 ** (bitsStored - 1);
  return { signed, bitsStored, low: signed ? -half : 0, high: signed ? half - 1 : 2 * half - 1 };
}

/** The value of a word; bits above the stored ones (old overlays, GE leftovers) do not count. */
export function toStored(word: number, { signed, bitsStored }: StoredFormat): number {
  const shift = 32 - bitsStored;
  return signed ? (word << shift) >> shift : (word << shift) >>> shift;
}

/** The word of a value, sign-extended to 16 bits; `value` is in low..high. */
export const toWord = (value: number): number => value & 0xffff;

/** All 16 bits as a number, stored or not. */
const wholeWord = (word: number, signed: boolean): number => (signed ? (word << 16) >> 16 : word);

/**
 * Pixel Padding Value and Range Limit (PS3.3 C.7.5.1.1.2) as a test on words. The attributes may be written as unsigned
 * for signed pixels, and may lie outside the stored bits (GE, 63536 for -2000); then only the whole word can equal them.
 */
export function paddingTest(dataSet: DataSet, format: StoredFormat): (word: number) => boolean {
  const padding = optionalWord(dataSet, tags.pixelPaddingValue);
  if (padding === undefined) return () => false;
  const ends = [padding, optionalWord(dataSet, tags.pixelPaddingRangeLimit) ?? padding].map((word) =>
    word < 2 ** format.bitsStored ? toStored(word, format) : wholeWord(word, format.signed),
  );
  const low = Math.min(...ends);
  const high = Math.max(...ends);
  const within = (value: number): boolean => value >= low && value <= high;
  return (word) => within(toStored(word, format)) || within(wholeWord(word, format.signed));
}

/** @returns the words of little endian pixel data. */
export function readWords(value: Uint8Array): Uint16Array {
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength);
  const words = new Uint16Array(value.byteLength >> 1);
  for (let i = 0; i < words.length; i++) words[i] = view.getUint16(i * 2, true);
  return words;
}

/** The inverse of {@link readWords}. */
export function writeWords(words: Uint16Array): Uint8Array {
  const value = new Uint8Array(words.length * 2);
  const view = new DataView(value.buffer);
  for (let i = 0; i < words.length; i++) view.setUint16(i * 2, words[i] as number, true);
  return value;
}
