import { DenoiseError } from '../errors/index.ts';
import type { HuImage } from '../image/index.ts';
import {
  attributeText,
  attributeTexts,
  decimals,
  invalid,
  missing,
  optionalWord,
  requiredDecimal,
  requiredUid,
  requiredWord,
} from './attributes.ts';
import type { DataSet } from './data-set.ts';
import { parsePart10, type Part10File } from './part10-file.ts';
import { paddingTest, readStoredFormat, readWords, toStored, type StoredFormat } from './stored-pixels.ts';
import { ctImageStorage, tags } from './tags.ts';
import { transferSyntaxOf } from './transfer-syntaxes.ts';

/** A point or direction in the patient, millimetres. */
export type Vector = readonly [number, number, number];

/** What the pixels of a slice mean. */
export interface CtHeader {
  readonly rows: number;
  readonly columns: number;
  readonly stored: StoredFormat;
  /** HU = stored value + intercept; the slope is always 1. */
  readonly rescaleIntercept: number;
  readonly imageType: readonly string[];
  /** Millimetres between rows and between columns. */
  readonly pixelSpacing?: readonly [number, number];
  readonly seriesNumber?: number;
}

/** One uncompressed, single-frame CT image. */
export interface CtSlice {
  readonly image: HuImage;
  readonly header: CtHeader;
  readonly sopInstanceUid: string;
  readonly seriesInstanceUid: string;
  readonly studyInstanceUid: string;
  readonly instanceNumber?: number;
  /** Centre of the first pixel. */
  readonly imagePosition?: Vector;
  /** Directions of a row and of a column. */
  readonly imageOrientation?: readonly [Vector, Vector];
  /** The multi-frame object and the frame (from 1) that this slice is; its own UID is ours then. */
  readonly frameOf?: {
    readonly sopClassUid: string;
    readonly sopInstanceUid: string;
    readonly frame: number;
  };
  /** All attributes as they were, for the writer of the derived slice. */
  readonly dataSet: DataSet;
}

/**
 * Reads a CT Image Storage object of any of the uncompressed transfer syntaxes, with or without preamble.
 * HU are exact: only slope 1 with a whole intercept is accepted, because then HU - intercept gives back the stored value.
 * @throws DICOM_PARSE, DICOM_NOT_CT, DICOM_MULTIFRAME, DICOM_COMPRESSED, DICOM_ATTRIBUTE_MISSING,
 * DICOM_ATTRIBUTE_INVALID, DICOM_PIXEL_LENGTH; never anything else.
 */
export function readCtSlice(bytes: Uint8Array): CtSlice {
  try {
    return sliceOf(parsePart10(bytes));
  } catch (error) {
    throw DenoiseError.wrap(error, 'DICOM_PARSE', { reason: 'unexpected' });
  }
}

/** The slice that a parsed file holds. @throws as {@link readCtSlice} */
export function sliceOf(file: Part10File): CtSlice {
  const { dataSet } = file;
  checkKind(file);
  const header = readHeader(dataSet);
  return {
    image: readImage(dataSet, header),
    header,
    sopInstanceUid: requiredUid(dataSet, tags.sopInstanceUid),
    seriesInstanceUid: requiredUid(dataSet, tags.seriesInstanceUid),
    studyInstanceUid: requiredUid(dataSet, tags.studyInstanceUid),
    ...readPlace(dataSet),
    dataSet,
  };
}

/** Refuses everything but a single-frame, uncompressed CT image with one 16-bit sample a pixel. */
function checkKind({ meta, dataSet, transferSyntax }: Part10File): void {
  const sopClass =
    attributeText(dataSet, tags.sopClassUid) ?? attributeText(meta, tags.mediaStorageSopClassUid);
  if (sopClass?.startsWith(`${ctImageStorage}.`))
    throw new DenoiseError('DICOM_MULTIFRAME', { sopClass: 'Enhanced CT' });
  if (sopClass !== undefined && sopClass !== ctImageStorage) notCt('SOP class');
  const modality = attributeText(dataSet, tags.modality);
  if (modality !== undefined && modality !== 'CT') notCt('modality');
  if (sopClass === undefined) missing(tags.sopClassUid);
  if (attributeTexts(dataSet, tags.imageType)[2] === 'LOCALIZER') notCt('localizer');
  const frames = decimals(dataSet, tags.numberOfFrames)[0] ?? 1;
  if (frames !== 1) throw new DenoiseError('DICOM_MULTIFRAME', { frames });
  const syntax = transferSyntaxOf(transferSyntax);
  if (syntax?.compressed) throw new DenoiseError('DICOM_COMPRESSED', { transferSyntax, name: syntax.name });

  const photometric = attributeText(dataSet, tags.photometricInterpretation) ?? 'MONOCHROME2';
  if ((optionalWord(dataSet, tags.samplesPerPixel) ?? 1) !== 1 || !photometric.startsWith('MONOCHROME'))
    notCt('colour');
  const bitsAllocated = requiredWord(dataSet, tags.bitsAllocated);
  if (bitsAllocated === 8) notCt('8-bit pixels');
  if (bitsAllocated !== 16) invalid(tags.bitsAllocated, 'not 16', { bitsAllocated });
}

function notCt(reason: string): never {
  throw new DenoiseError('DICOM_NOT_CT', { reason });
}

function readHeader(dataSet: DataSet): CtHeader {
  const [rows, columns] = [tags.rows, tags.columns].map(
    (tag) => requiredWord(dataSet, tag) || invalid(tag, 'zero'),
  ) as [number, number];
  const slope = requiredDecimal(dataSet, tags.rescaleSlope);
  if (slope !== 1) invalid(tags.rescaleSlope, 'not 1, so HU are not exact', { slope });
  const rescaleIntercept = requiredDecimal(dataSet, tags.rescaleIntercept);
  if (!Number.isInteger(rescaleIntercept)) invalid(tags.rescaleIntercept, 'not whole', { rescaleIntercept });
  if ((attributeText(dataSet, tags.rescaleType) ?? 'HU') !== 'HU') invalid(tags.rescaleType, 'not HU');
  const [rowSpacing, columnSpacing] = decimals(dataSet, tags.pixelSpacing);
  const [seriesNumber] = decimals(dataSet, tags.seriesNumber);
  return {
    rows,
    columns,
    stored: readStoredFormat(dataSet),
    rescaleIntercept,
    imageType: attributeTexts(dataSet, tags.imageType),
    ...(rowSpacing && columnSpacing ? { pixelSpacing: [rowSpacing, columnSpacing] as const } : {}),
    ...(seriesNumber === undefined ? {} : { seriesNumber }),
  };
}

/**
 * Scanners write -2000, -2048 or -3024 HU around the reconstructed circle, often without declaring it (GE, Toshiba).
 * Nothing attenuates less than -1000 HU, and noise does not reach twice as low.
 */
const undeclaredPadding = -2000;

function readImage(dataSet: DataSet, header: CtHeader): HuImage {
  const { rows, columns, stored, rescaleIntercept } = header;
  const value = dataSet.get(tags.pixelData)?.value;
  if (!value || value.length === 0) missing(tags.pixelData);
  const expected = rows * columns * 2;
  if (value.length !== expected)
    throw new DenoiseError('DICOM_PIXEL_LENGTH', { bytes: value.length, expected });
  const words = readWords(value);
  const isPadding = paddingTest(dataSet, stored);
  const hu = new Int16Array(words.length);
  const padding = new Uint8Array(words.length);
  for (let i = 0; i < words.length; i++) {
    const word = words[i] as number;
    const pixel = toStored(word, stored) + rescaleIntercept;
    if (pixel <= undeclaredPadding || isPadding(word)) padding[i] = 1;
    else if (pixel > 32767) invalid(tags.pixelData, 'a pixel above 16-bit HU', { hu: pixel });
    hu[i] = Math.max(-32768, Math.min(32767, pixel));
  }
  return { width: columns, height: rows, hu, ...(padding.includes(1) ? { padding } : {}) };
}

function readPlace(dataSet: DataSet): Pick<CtSlice, 'instanceNumber' | 'imagePosition' | 'imageOrientation'> {
  const [instanceNumber] = decimals(dataSet, tags.instanceNumber);
  const position = decimals(dataSet, tags.imagePositionPatient);
  const orientation = decimals(dataSet, tags.imageOrientationPatient);
  return {
    ...(instanceNumber === undefined ? {} : { instanceNumber }),
    ...(position.length === 3 ? { imagePosition: position as unknown as Vector } : {}),
    ...(orientation.length === 6
      ? {
          imageOrientation: [
            orientation.slice(0, 3) as unknown as Vector,
            orientation.slice(3) as unknown as Vector,
          ] as const,
        }
      : {}),
  };
}
