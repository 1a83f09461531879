import { DenoiseError } from '../errors/index.ts';
import type { HuImage } from '../image/index.ts';
import { attributeText, attributeTexts } from './attributes.ts';
import { isGroupLength, isPrivate, joinBytes, type DataSet } from './data-set.ts';
import { encodeFile } from './dcmjs-library.ts';
import {
  checkOptions,
  derivationAttributes,
  derivedUids,
  fileMeta,
  productName,
  type DerivationOptions,
} from './derivation.ts';
import { encodeDataSet } from './encode-data-set.ts';
import { parsePart10 } from './part10-file.ts';
import type { CtSlice } from './read-ct-slice.ts';
import { withSuffix } from './series-description.ts';
import { readWords, toStored, toWord, writeWords } from './stored-pixels.ts';
import { tags } from './tags.ts';
import { explicitLittleEndian } from './transfer-syntaxes.ts';

/** What the new pixels make untrue. */
const untrue: ReadonlySet<number> = new Set([
  tags.instanceCreatorUid,
  tags.smallestImagePixelValue,
  tags.largestImagePixelValue,
  tags.smallestPixelValueInSeries,
  tags.largestPixelValueInSeries,
  tags.iconImageSequence,
  tags.macParametersSequence,
  tags.digitalSignaturesSequence,
  tags.dataSetTrailingPadding,
]);

/**
 * @returns a DICOM file, Explicit VR Little Endian, with the pixels of `denoised`: HU are clamped to what BitsStored
 * can hold, padding keeps its words. Attributes that do not change keep their bytes, in any character set. The same
 * source, pixels and options give the same bytes.
 * @throws IMAGE_INVALID if `denoised` has another size, DICOM_ATTRIBUTE_INVALID for options that cannot be written.
 */
export function writeDerivedSlice(
  source: CtSlice,
  denoised: HuImage,
  options: DerivationOptions,
): Uint8Array {
  checkOptions(options);
  const { rows, columns, stored } = source.header;
  if (denoised.width !== columns || denoised.height !== rows || denoised.hu.length !== rows * columns)
    throw new DenoiseError('IMAGE_INVALID', {
      width: denoised.width,
      height: denoised.height,
      columns,
      rows,
    });

  // dcmjs encodes what is new; the rest is spliced in as bytes, because dcmjs would decode and encode it.
  const { sopInstanceUid } = derivedUids(source, options.model, options.strengthPercent);
  const meta = fileMeta(sopInstanceUid, explicitLittleEndian, options.softwareVersion);
  const fresh = encodeFile(meta, derivationAttributes(source, options));
  const { dataSet: changes, dataSetOffset } = parsePart10(fresh);

  const kept = keptAttributes(source.dataSet, options.keepPrivate ?? false);
  const derived = new Map(kept);
  for (const tag of untrue) derived.delete(tag);
  for (const [tag, element] of changes) derived.set(tag, element);
  derived.set(tags.imageType, { vr: 'CS', value: imageType(source, options) });
  derived.set(tags.seriesDescription, { vr: 'LO', value: seriesDescription(source, options) });
  derived.set(tags.contributingEquipmentSequence, {
    vr: 'SQ',
    value: new Uint8Array(0),
    items: [kept, changes].flatMap((dataSet) => dataSet.get(tags.contributingEquipmentSequence)?.items ?? []),
  });
  for (const tag of [tags.pixelPaddingValue, tags.pixelPaddingRangeLimit]) {
    const padding = derived.get(tag);
    if (padding) derived.set(tag, { vr: stored.signed ? 'SS' : 'US', value: padding.value });
  }
  derived.set(tags.pixelData, { vr: 'OW', value: derivedPixels(source, denoised) });
  return joinBytes([fresh.subarray(0, dataSetOffset), encodeDataSet(derived, stored.signed)]);
}

/** All but group lengths, commands and, unless wanted, private attributes, on every level. */
function keptAttributes(dataSet: DataSet, keepPrivate: boolean): DataSet {
  const kept = [...dataSet].filter(
    ([tag]) => tag >= 0x00080000 && !isGroupLength(tag) && (keepPrivate || !isPrivate(tag)),
  );
  return new Map(
    kept.map(([tag, element]) => [
      tag,
      element.items
        ? { ...element, items: element.items.map((item) => keptAttributes(item, keepPrivate)) }
        : element,
    ]),
  );
}

/** DERIVED, SECONDARY (or PRIMARY), and the values from the third on as they were. */
function imageType({ header }: CtSlice, { imageTypeValue2 = 'SECONDARY' }: DerivationOptions): Uint8Array {
  const further = header.imageType.length > 2 ? header.imageType.slice(2) : ['AXIAL'];
  return Uint8Array.from(['DERIVED', imageTypeValue2, ...further].join('\\'), (character) =>
    character.charCodeAt(0),
  );
}

function seriesDescription({ dataSet }: CtSlice, { descriptionSuffix = ' [denoised]' }: DerivationOptions) {
  const value = dataSet.get(tags.seriesDescription)?.value ?? new Uint8Array(0);
  return withSuffix(value, descriptionSuffix, attributeTexts(dataSet, tags.specificCharacterSet));
}

function derivedPixels(source: CtSlice, denoised: HuImage): Uint8Array {
  const { stored, rescaleIntercept } = source.header;
  const { padding } = source.image;
  const words = readWords(source.dataSet.get(tags.pixelData)?.value ?? new Uint8Array(0));
  const unused = 0xffff & ~(2 ** stored.bitsStored - 1);
  for (let i = 0; i < words.length; i++) {
    if (padding?.[i]) continue;
    const value = Math.max(stored.low, Math.min(stored.high, (denoised.hu[i] as number) - rescaleIntercept));
    const word = words[i] as number;
    // Bits above the stored ones that are no sign hold something else, such as an old overlay: they stay.
    const plain = word === toWord(toStored(word, stored));
    words[i] = plain ? toWord(value) : (word & unused) | (value & ~unused & 0xffff);
  }
  return writeWords(words);
}

/** Whether the object says that its pixels were derived from others, by us or by anybody (a reformat, a lossy copy). */
export const isDerived = (slice: CtSlice): boolean =>
  slice.header.imageType[0] === 'DERIVED' || isDenoised(slice);

/** Whether the object was made by {@link writeDerivedSlice}: denoising it again is a mistake. */
export const isDenoised = ({ dataSet }: CtSlice): boolean =>
  (dataSet.get(tags.contributingEquipmentSequence)?.items ?? []).some(
    (equipment) => attributeText(equipment, tags.manufacturerModelName) === productName,
  );
