import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { parsePart10 } from '#sdk/dicom/part10-file.js';
import { encodeDataSet } from '#sdk/dicom/encode-data-set.js';
import { attributeText } from '#sdk/dicom/attributes.js';
import { joinBytes, type DataSet } from '#sdk/dicom/data-set.js';
import { tags } from '#sdk/dicom/tags.js';
import { explicitLittleEndian } from '#sdk/dicom/transfer-syntaxes.js';

const deflated = '1.2.840.10008.1.2.1.99';

/**
 * The same file as a series of its own: the last three digits of its Series and SOP Instance UID become `number`, and
 * every other byte stays, in any transfer syntax.
 * @param number 100..999
 */
export function asOwnSeries(file: Uint8Array, number: number): Uint8Array {
  const { dataSet, transferSyntax, dataSetOffset } = parsePart10(file);
  const uids = [tags.seriesInstanceUid, tags.sopInstanceUid].map((tag) => attributeText(dataSet, tag) ?? '');
  const renumber = (bytes: Uint8Array): Uint8Array => {
    let text = Buffer.from(bytes).toString('latin1');
    for (const uid of uids) text = text.replaceAll(uid, `${uid.slice(0, -3)}${number}`);
    return Buffer.from(text, 'latin1');
  };
  const body = file.subarray(dataSetOffset);
  const ownBody =
    transferSyntax === deflated ? deflateRawSync(renumber(inflateRawSync(body))) : renumber(body);
  return joinBytes([renumber(file.subarray(0, dataSetOffset)), ownBody]);
}

/**
 * The same uncompressed file with other values of some attributes, on every level, as Explicit VR Little Endian.
 * @param values by tag; the attributes must be there
 */
export function withValues(file: Uint8Array, values: ReadonlyMap<number, Uint8Array>): Uint8Array {
  const { dataSet, transferSyntax, dataSetOffset } = parsePart10(file);
  if (transferSyntax !== explicitLittleEndian) throw new Error('the file must be Explicit VR Little Endian');
  const missing = new Set(values.keys());
  const change = (level: DataSet): DataSet =>
    new Map(
      [...level].map(([tag, element]) => {
        const value = values.get(tag);
        if (value !== undefined) missing.delete(tag);
        const items = element.items?.map(change);
        return [tag, { ...element, ...(value && { value }), ...(items && { items }) }];
      }),
    );
  const changed = change(dataSet);
  if (missing.size > 0) throw new Error('an attribute is not there');
  return joinBytes([file.subarray(0, dataSetOffset), encodeDataSet(changed, true)]);
}
