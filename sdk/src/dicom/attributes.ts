import { DenoiseError } from '../errors/index.ts';
import type { DataSet } from './data-set.ts';
import { attributeName } from './dcmjs-library.ts';

/** @returns the value without the fill around it; undefined if the attribute is missing or empty. ASCII only. */
export function attributeText(dataSet: DataSet, tag: number): string | undefined {
  const value = dataSet.get(tag)?.value ?? new Uint8Array(0);
  let text = '';
  for (const byte of value.subarray(0, longestText)) text += String.fromCharCode(byte);
  return trimFill(text) || undefined;
}
/** None of the attributes read as text is longer, and a damaged length must not cost time. */
const longestText = 4096;

const trimFill = (text: string): string => text.replace(/^[ \0]+|[ \0]+$/g, '');

/** @returns the values between backslashes; none if the attribute is missing or empty. */
export const attributeTexts = (dataSet: DataSet, tag: number): readonly string[] =>
  attributeText(dataSet, tag)?.split('\\').map(trimFill) ?? [];

/** @throws DICOM_ATTRIBUTE_MISSING */
export function requiredText(dataSet: DataSet, tag: number): string {
  return attributeText(dataSet, tag) ?? missing(tag);
}

/** @throws DICOM_ATTRIBUTE_MISSING, DICOM_ATTRIBUTE_INVALID */
export function requiredUid(dataSet: DataSet, tag: number): string {
  const uid = requiredText(dataSet, tag);
  return /^[0-9]+(\.[0-9]+)+$/.test(uid) && uid.length <= 64 ? uid : invalid(tag, 'not a UID');
}

/** @throws DICOM_ATTRIBUTE_INVALID if there is a value that is not one 16-bit word. */
export function optionalWord(dataSet: DataSet, tag: number): number | undefined {
  const value = dataSet.get(tag)?.value;
  if (!value || value.length === 0) return undefined;
  return value.length === 2
    ? (value[0] as number) + (value[1] as number) * 256
    : invalid(tag, 'not one 16-bit number');
}

/** @throws DICOM_ATTRIBUTE_MISSING, DICOM_ATTRIBUTE_INVALID */
export const requiredWord = (dataSet: DataSet, tag: number): number =>
  optionalWord(dataSet, tag) ?? missing(tag);

/**
 * Decimal or integer strings (DS, IS) as vendors write them, such as `-01.024000E+03`.
 * @throws DICOM_ATTRIBUTE_INVALID if one of the values is not a number.
 */
export function decimals(dataSet: DataSet, tag: number): readonly number[] {
  return attributeTexts(dataSet, tag).map((text) =>
    /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) && Number.isFinite(Number(text))
      ? Number(text)
      : invalid(tag, 'not a number'),
  );
}

/** @returns the only value. @throws DICOM_ATTRIBUTE_MISSING, DICOM_ATTRIBUTE_INVALID */
export function requiredDecimal(dataSet: DataSet, tag: number): number {
  const values = decimals(dataSet, tag);
  if (values.length > 1) invalid(tag, 'more than one value');
  return values[0] ?? missing(tag);
}

export function missing(tag: number): never {
  throw new DenoiseError('DICOM_ATTRIBUTE_MISSING', { attribute: attributeName(tag) });
}

export function invalid(tag: number, reason: string, details: Readonly<Record<string, number>> = {}): never {
  throw new DenoiseError('DICOM_ATTRIBUTE_INVALID', { attribute: attributeName(tag), reason, ...details });
}
