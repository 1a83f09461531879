import { Inflate } from 'pako';
import { DenoiseError } from '../errors/index.ts';
import { attributeText } from './attributes.ts';
import { isKnownVr, joinBytes, type DataSet } from './data-set.ts';
import { parseDataSet } from './parse-data-set.ts';
import { tags } from './tags.ts';
import { explicitLittleEndian, implicitLittleEndian, transferSyntaxOf } from './transfer-syntaxes.ts';

/** A DICOM file: file meta information (PS3.10 section 7) and one data set. */
export interface Part10File {
  /** Empty if the file has none. */
  readonly meta: DataSet;
  readonly dataSet: DataSet;
  readonly transferSyntax: string;
  /** Where the data set begins in the file. */
  readonly dataSetOffset: number;
}

/** Largest deflated data set, bytes after inflation. */
const inflatedLimit = 256 * 2 ** 20;

/**
 * Reads a DICOM file in any transfer syntax of the standard, with or without preamble and file meta information.
 * @throws DICOM_PARSE, and DICOM_COMPRESSED for a transfer syntax that the standard does not know.
 */
export function parsePart10(bytes: Uint8Array): Part10File {
  if (bytes.length === 0) refuse('empty');
  const start = isDicm(bytes) ? 132 : 0;
  const group = (bytes[start] ?? 0) + (bytes[start + 1] ?? 0) * 256;
  if (start === 0 && group !== 0x0002 && group !== 0x0008) refuse('not DICOM');

  const explicit = { explicit: true, littleEndian: true };
  const beyondMeta = (tag: number): boolean => tag >>> 16 !== 0x0002;
  const { dataSet: meta, position } = parseDataSet(bytes, start, explicit, beyondMeta);
  const transferSyntax = attributeText(meta, tags.transferSyntaxUid) ?? guessSyntax(bytes, position);
  const syntax = transferSyntaxOf(transferSyntax);
  if (!syntax) throw new DenoiseError('DICOM_COMPRESSED', { transferSyntax });

  const { dataSet } = syntax.deflated
    ? parseDataSet(inflate(bytes.subarray(position)), 0, syntax.encoding)
    : parseDataSet(bytes, position, syntax.encoding);
  return { meta, dataSet, transferSyntax, dataSetOffset: position };
}

const isDicm = (bytes: Uint8Array): boolean => String.fromCharCode(...bytes.subarray(128, 132)) === 'DICM';

/** The transfer syntax of a file that does not name it: explicit if the first element has a value representation. */
function guessSyntax(bytes: Uint8Array, at: number): string {
  const vr = String.fromCharCode(...bytes.subarray(at + 4, at + 6));
  return isKnownVr(vr) ? explicitLittleEndian : implicitLittleEndian;
}

function inflate(bytes: Uint8Array): Uint8Array {
  const inflater = new Inflate({ raw: true });
  const chunks: Uint8Array[] = [];
  let length = 0;
  let ended = false;
  inflater.onData = (chunk) => {
    const data = chunk as Uint8Array;
    length += data.length;
    if (length > inflatedLimit) refuse('inflated size');
    chunks.push(data);
  };
  inflater.onEnd = (status) => {
    ended = status === 0;
  };
  inflater.push(bytes, true);
  if (!ended) refuse('deflate stream');
  return joinBytes(chunks);
}

function refuse(reason: string): never {
  throw new DenoiseError('DICOM_PARSE', { reason });
}
