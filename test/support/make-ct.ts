import { encodeFile, type AttributeValue } from '#sdk/dicom/dcmjs-library.js';
import { ctImageStorage, tags } from '#sdk/dicom/tags.js';
import { explicitLittleEndian } from '#sdk/dicom/transfer-syntaxes.js';

export interface CtObject {
  readonly rows: number;
  readonly columns: number;
  /** Row-major; stored as hu - intercept. */
  readonly hu?: ArrayLike<number>;
  /** The 16-bit words of the pixel data, instead of `hu`. */
  readonly words?: ArrayLike<number>;
  /** Default -1024 */
  readonly intercept?: number;
  /** Default false */
  readonly signed?: boolean;
  /** Default 12 */
  readonly bitsStored?: number;
  readonly padding?: { readonly value: number; readonly limit?: number };
  /** Default 1; places the slice 2.5 mm after the one before and gives it its UID. */
  readonly instanceNumber?: number;
  readonly sopInstanceUid?: string;
  readonly seriesInstanceUid?: string;
  /** Attributes by tag to add, to replace, or (null) to leave out. */
  readonly patch?: ReadonlyMap<number, AttributeValue | null>;
}

export const attribute = (vr: string, ...values: readonly (string | number)[]): AttributeValue => ({
  vr,
  values,
});

/** @returns a minimal CT Image Storage file, Explicit VR Little Endian, encoded by dcmjs. */
export function makeCtDicom(object: CtObject): Uint8Array {
  const { rows, columns, intercept = -1024, signed = false, bitsStored = 12, instanceNumber = 1 } = object;
  const sopInstanceUid = object.sopInstanceUid ?? `2.25.1000${instanceNumber}`;
  const words = Uint16Array.from(object.words ?? Array.from(object.hu ?? [], (hu) => hu - intercept));
  const word = signed ? 'SS' : 'US';
  const attributes = new Map<number, AttributeValue>([
    [tags.specificCharacterSet, attribute('CS', 'ISO_IR 100')],
    [tags.imageType, attribute('CS', 'ORIGINAL', 'PRIMARY', 'AXIAL')],
    [tags.sopClassUid, attribute('UI', ctImageStorage)],
    [tags.sopInstanceUid, attribute('UI', sopInstanceUid)],
    [tags.modality, attribute('CS', 'CT')],
    [tags.seriesDescription, attribute('LO', 'Chest')],
    [tags.patientName, attribute('PN', 'Phantom^Test')],
    [tags.studyInstanceUid, attribute('UI', '2.25.1')],
    [tags.seriesInstanceUid, attribute('UI', object.seriesInstanceUid ?? '2.25.2')],
    [tags.seriesNumber, attribute('IS', '3')],
    [tags.instanceNumber, attribute('IS', String(instanceNumber))],
    [tags.imagePositionPatient, attribute('DS', '-100', '-100', String(2.5 * instanceNumber))],
    [tags.imageOrientationPatient, attribute('DS', '1', '0', '0', '0', '1', '0')],
    [tags.samplesPerPixel, attribute('US', 1)],
    [tags.photometricInterpretation, attribute('CS', 'MONOCHROME2')],
    [tags.rows, attribute('US', rows)],
    [tags.columns, attribute('US', columns)],
    [tags.pixelSpacing, attribute('DS', '0.7', '0.7')],
    [tags.bitsAllocated, attribute('US', 16)],
    [tags.bitsStored, attribute('US', bitsStored)],
    [tags.highBit, attribute('US', bitsStored - 1)],
    [tags.pixelRepresentation, attribute('US', signed ? 1 : 0)],
    [tags.rescaleIntercept, attribute('DS', String(intercept))],
    [tags.rescaleSlope, attribute('DS', '1')],
    [tags.pixelData, { vr: 'OW', values: [words.buffer] }],
  ]);
  const { value, limit } = object.padding ?? {};
  if (value !== undefined) attributes.set(tags.pixelPaddingValue, attribute(word, value));
  if (limit !== undefined) attributes.set(tags.pixelPaddingRangeLimit, attribute(word, limit));
  for (const [tag, patched] of object.patch ?? [])
    if (patched) attributes.set(tag, patched);
    else attributes.delete(tag);
  const meta = new Map<number, AttributeValue>([
    [tags.mediaStorageSopClassUid, attribute('UI', ctImageStorage)],
    [tags.mediaStorageSopInstanceUid, attribute('UI', sopInstanceUid)],
    [tags.transferSyntaxUid, attribute('UI', explicitLittleEndian)],
  ]);
  return encodeFile(meta, attributes);
}
