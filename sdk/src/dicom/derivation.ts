import { DenoiseError } from '../errors/index.ts';
import { attributeText } from './attributes.ts';
import type { AttributeValue, AttributeValues } from './dcmjs-library.ts';
import { derivedUid } from './derived-uid.ts';
import type { CtSlice } from './read-ct-slice.ts';
import { ctImageStorage, tags } from './tags.ts';

/** What made a derived slice. All text is printable ASCII without backslash, so it is right in every character set. */
export interface DerivationOptions {
  readonly model: { readonly id: string; readonly version: string; readonly digest: string };
  /** 'linear', 'interactive' or 'private' */
  readonly mode: string;
  /** How much of the result is in the slice, in whole percent, the rest is the source; default 100. */
  readonly strengthPercent?: number;
  /** One per job: slices of a series must agree on it. */
  readonly timestamp: Date;
  readonly softwareVersion: string;
  /** Added to SeriesNumber; default 9000. */
  readonly seriesNumberOffset?: number;
  /** Appended to SeriesDescription, which is cut to 64 characters; default ' [denoised]'. */
  readonly descriptionSuffix?: string;
  /** Second value of ImageType; default 'SECONDARY'. */
  readonly imageTypeValue2?: 'PRIMARY' | 'SECONDARY';
  /** Keep private attributes; default false. */
  readonly keepPrivate?: boolean;
}

/** ManufacturerModelName of the contributing equipment, by which our own objects are known. */
export const productName = 'CipherDose';

/** @throws DICOM_ATTRIBUTE_INVALID */
export function checkOptions(options: DerivationOptions): void {
  const {
    model,
    mode,
    softwareVersion,
    descriptionSuffix = ' ',
    timestamp,
    seriesNumberOffset = 0,
    strengthPercent = 100,
  } = options;
  for (const [option, text] of Object.entries({ ...model, mode, softwareVersion, descriptionSuffix }))
    if (!/^[\x20-\x5b\x5d-\x7e]{1,128}$/.test(text)) invalidOption(option, 'not short printable ASCII');
  if (descriptionSuffix.length > 32) invalidOption('descriptionSuffix', 'longer than 32');
  const year = timestamp.getUTCFullYear();
  if (!(year > 1000 && year < 9999)) invalidOption('timestamp', 'not a date with a four-digit year');
  if (!Number.isInteger(strengthPercent) || strengthPercent < 1 || strengthPercent > 100)
    invalidOption('strengthPercent', 'not a whole percentage above 0');
  if (!Number.isInteger(seriesNumberOffset)) invalidOption('seriesNumberOffset', 'not whole');
}

function invalidOption(option: string, reason: string): never {
  throw new DenoiseError('DICOM_ATTRIBUTE_INVALID', { option, reason });
}

/** The UIDs that the derived slice has; they depend on the source, the model and the strength only. */
export function derivedUids(
  source: Pick<CtSlice, 'sopInstanceUid' | 'seriesInstanceUid'>,
  model: { readonly id: string; readonly version: string },
  strengthPercent = 100,
) {
  const version = strengthPercent === 100 ? model.version : `${model.version} at ${strengthPercent}%`;
  return {
    sopInstanceUid: derivedUid('instance', model.id, version, source.sopInstanceUid),
    seriesInstanceUid: derivedUid('series', model.id, version, source.seriesInstanceUid),
  };
}

/** PS3.10 section 7.1 */
export const fileMeta = (
  sopInstanceUid: string,
  transferSyntax: string,
  softwareVersion: string,
): AttributeValues =>
  attributes(
    [tags.fileMetaVersion, { vr: 'OB', values: [Uint8Array.of(0, 1).buffer] }],
    [tags.mediaStorageSopClassUid, text('UI', ctImageStorage)],
    [tags.mediaStorageSopInstanceUid, text('UI', sopInstanceUid)],
    [tags.transferSyntaxUid, text('UI', transferSyntax)],
    [tags.implementationClassUid, text('UI', derivedUid('implementation'))],
    [tags.implementationVersionName, text('SH', `CIPHERDOSE_${softwareVersion}`.slice(0, 16))],
  );

/** Attributes that say what the slice is now, and how and from what it was derived. PS3.3 C.7.6.1, C.12.1 */
export function derivationAttributes(source: CtSlice, options: DerivationOptions): AttributeValues {
  const { model, mode, softwareVersion, strengthPercent = 100 } = options;
  const { sopInstanceUid, seriesInstanceUid } = derivedUids(source, model, strengthPercent);
  const { date, time, zone } = localTime(
    options.timestamp,
    attributeText(source.dataSet, tags.timezoneOffsetFromUtc),
  );
  const version = `model ${model.id} ${model.version}`;
  const mixed =
    strengthPercent === 100
      ? ''
      : `; then mixed: ${strengthPercent}% result, ${100 - strengthPercent}% source`;
  const { frameOf } = source;
  const sourceImage = attributes(
    [tags.referencedSopClassUid, text('UI', frameOf?.sopClassUid ?? ctImageStorage)],
    [tags.referencedSopInstanceUid, text('UI', frameOf?.sopInstanceUid ?? source.sopInstanceUid)],
    ...(frameOf ? [[tags.referencedFrameNumber, text('IS', String(frameOf.frame))] as const] : []),
    [tags.purposeOfReferenceCodeSequence, code('121322', 'Source image for image processing operation')],
  );
  const equipment = attributes(
    [tags.manufacturer, text('LO', productName)],
    [tags.manufacturerModelName, text('LO', productName)],
    [tags.softwareVersions, text('LO', softwareVersion.slice(0, 64), version.slice(0, 64))],
    [tags.contributionDateTime, text('DT', `${date}${time}${zone}`)],
    [tags.contributionDescription, text('ST', `Noise reduction, model digest ${model.digest}`)],
    [tags.purposeOfReferenceCodeSequence, code('109102', 'Processing Equipment')],
  );
  return attributes(
    [tags.instanceCreationDate, text('DA', date)],
    [tags.instanceCreationTime, text('TM', time)],
    [tags.seriesDate, text('DA', date)],
    [tags.seriesTime, text('TM', time)],
    [tags.contentDate, text('DA', date)],
    [tags.contentTime, text('TM', time)],
    [tags.sopClassUid, text('UI', ctImageStorage)],
    [tags.sopInstanceUid, text('UI', sopInstanceUid)],
    [tags.seriesInstanceUid, text('UI', seriesInstanceUid)],
    [tags.seriesNumber, text('IS', String(seriesNumber(source, options)))],
    [
      tags.derivationDescription,
      text(
        'ST',
        `Noise reduction, ${version}, encrypted inference (${mode}), lossless: equal to inference in the clear${mixed}`,
      ),
    ],
    // CID 7203 has no code for noise reduction; this is the nearest.
    [tags.derivationCodeSequence, code('113087', 'Smoothing')],
    [tags.sourceImageSequence, { vr: 'SQ', items: [sourceImage] }],
    [tags.contributingEquipmentSequence, { vr: 'SQ', items: [equipment] }],
  );
}

const attributes = (...entries: readonly (readonly [number, AttributeValue])[]): AttributeValues =>
  new Map(entries);

const text = (vr: string, ...values: readonly string[]): AttributeValue => ({ vr, values });

const code = (value: string, meaning: string): AttributeValue => {
  const item = attributes(
    [tags.codeValue, text('SH', value)],
    [tags.codingSchemeDesignator, text('SH', 'DCM')],
    [tags.codeMeaning, text('LO', meaning)],
  );
  return { vr: 'SQ', items: [item] };
};

/** Source + offset, or the offset alone if the source has none or the sum leaves the 32 bits of an integer string. */
function seriesNumber({ header }: CtSlice, { seriesNumberOffset = 9000 }: DerivationOptions): number {
  const number = (header.seriesNumber ?? 0) + seriesNumberOffset;
  return Number.isInteger(number) && Math.abs(number) < 2 ** 31 ? number : seriesNumberOffset;
}

/** Date and time of the place that the source names by its Timezone Offset From UTC, else of this machine. */
function localTime(timestamp: Date, offset: string | undefined) {
  const [, sign, hours, minutes] = /^([+-])(\d\d)(\d\d)$/.exec(offset ?? '') ?? [];
  const fromUtc = sign
    ? Number(`${sign}1`) * (Number(hours) * 60 + Number(minutes))
    : -timestamp.getTimezoneOffset();
  const local = new Date(timestamp.getTime() + fromUtc * 60_000).toISOString();
  const [date = '', time = ''] = local.replace(/[-:]/g, '').replace('Z', '').split('T');
  const twoDigits = (number: number): string => String(Math.floor(Math.abs(number))).padStart(2, '0');
  const zone = `${fromUtc < 0 ? '-' : '+'}${twoDigits(fromUtc / 60)}${twoDigits(fromUtc % 60)}`;
  return { date, time: time.slice(0, 6), zone };
}
