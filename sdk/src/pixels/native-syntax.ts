import './worker-window.ts';
import codec from '@cornerstonejs/dicom-codec';
import dicomParser, { type DataSet, type Element } from 'dicom-parser';
import { DenoiseError } from '../errors/index.ts';
import { checkStream, refuse, rleLossless } from './check-stream.ts';
import { isJpegLossless, withRoomBeforeEnd } from './jpeg-lossless-stream.ts';
import { concatenate, spliceNativePixels } from './splice-pixels.ts';

/** Compressed transfer syntaxes whose decoders give the same words as the reference (GDCM), tried on real files. */
const decodable: ReadonlySet<string> = new Set([
  '1.2.840.10008.1.2.4.57',
  '1.2.840.10008.1.2.4.70',
  '1.2.840.10008.1.2.4.80',
  '1.2.840.10008.1.2.4.81',
  '1.2.840.10008.1.2.4.90',
  '1.2.840.10008.1.2.4.91',
  rleLossless,
]);

/** @returns the transfer syntax in the file meta information; undefined if there is none or the file is damaged. */
export function transferSyntaxIn(bytes: Uint8Array): string | undefined {
  try {
    return dicomParser.parseDicom(bytes, { untilTag: 'x00020010' }).string('x00020010')?.trim();
  } catch {
    return undefined;
  }
}

export const needsDecoding = (bytes: Uint8Array): boolean => decodable.has(transferSyntaxIn(bytes) ?? '');

/**
 * @returns the same DICOM file with its pixels decoded, Explicit VR Little Endian; every other byte is kept. The bytes
 * themselves if they are not compressed, or in a way that is not decoded: the reader then says why they cannot be used.
 * @throws DICOM_DECODE if the pixels cannot be decoded exactly, DICOM_PARSE if the file is damaged
 */
export async function toNativeSyntax(bytes: Uint8Array): Promise<Uint8Array> {
  const transferSyntax = transferSyntaxIn(bytes);
  if (transferSyntax === undefined || !decodable.has(transferSyntax)) return bytes;
  const dataSet = parse(bytes);
  const element = dataSet.elements['x7fe00010'];
  if (!element?.encapsulatedPixelData) return refuse('the pixels are not encapsulated');
  const [rows, columns, bitsAllocated] = ['x00280010', 'x00280011', 'x00280100'].map((tag) =>
    dataSet.uint16(tag),
  );
  const samples = dataSet.uint16('x00280002') ?? 1;
  const frames = dataSet.intString('x00280008') ?? 1;
  // What the reader refuses anyway is not decoded.
  if (!rows || !columns || bitsAllocated !== 16 || samples !== 1 || frames !== 1) return refuseByReader();
  const words = await decodeFrame(joinFragments(dataSet, element), {
    ...{ rows, columns, transferSyntax },
    pixelRepresentation: dataSet.uint16('x00280103') ?? 0,
  });
  return spliceNativePixels(bytes, dataSet, element, words);

  function refuseByReader(): Uint8Array {
    const details = {
      rows: rows ?? 0,
      columns: columns ?? 0,
      bitsAllocated: bitsAllocated ?? 0,
      samples,
      frames,
    };
    if (frames !== 1) throw new DenoiseError('DICOM_MULTIFRAME', { frames });
    if (!rows || !columns) throw new DenoiseError('DICOM_ATTRIBUTE_MISSING', details);
    throw new DenoiseError('DICOM_NOT_CT', details);
  }
}

function parse(bytes: Uint8Array): DataSet {
  try {
    return dicomParser.parseDicom(bytes);
  } catch {
    // What dicom-parser throws can hold the data set.
    throw new DenoiseError('DICOM_PARSE', { reason: 'the compressed file is damaged' });
  }
}

/** All fragments are one frame, since there is one frame only. PS3.5 annex A.4 */
function joinFragments(dataSet: DataSet, element: Element): Uint8Array {
  const fragments = element.fragments ?? [];
  if (fragments.length === 0) refuse('there are no fragments');
  const parts = fragments.map(({ position, length }) =>
    dataSet.byteArray.subarray(position, position + length),
  );
  return concatenate(parts);
}

interface FrameFormat {
  readonly rows: number;
  readonly columns: number;
  readonly pixelRepresentation: number;
  readonly transferSyntax: string;
}

/** @returns the words of the frame, little endian. */
async function decodeFrame(frame: Uint8Array, format: FrameFormat): Promise<Uint8Array> {
  const { rows, columns, pixelRepresentation, transferSyntax } = format;
  checkStream(frame, transferSyntax, rows * columns);
  const info = { rows, columns, bitsAllocated: 16, samplesPerPixel: 1, pixelRepresentation };
  const signed = pixelRepresentation === 1;
  const stream = isJpegLossless(transferSyntax) ? withRoomBeforeEnd(frame) : frame;
  const decoded = await codec
    .decode(stream, { ...info, signed }, transferSyntax)
    .catch(() => refuse('damaged stream'));
  const { buffer, byteOffset, byteLength } = decoded.imageFrame;
  const { rows: height, columns: width, componentCount } = decoded.imageInfo;
  if ((height ?? rows) !== rows || (width ?? columns) !== columns || (componentCount ?? 1) !== 1)
    refuse('the stream holds another image size');
  if (byteLength !== rows * columns * 2) refuse('the stream holds another pixel size', { bytes: byteLength });
  // A copy: the view may lie in memory that the next call overwrites.
  return new Uint8Array(buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer);
}
