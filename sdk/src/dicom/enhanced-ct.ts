import { DenoiseError } from '../errors/index.ts';
import { attributeText, decimals, missing, requiredUid, requiredWord } from './attributes.ts';
import type { DataElement, DataSet } from './data-set.ts';
import { derivedUid } from './derived-uid.ts';
import { parsePart10 } from './part10-file.ts';
import { sliceOf, type CtSlice } from './read-ct-slice.ts';
import { ctImageStorage, tags } from './tags.ts';

/** A multi-frame CT object (Enhanced CT or Legacy Converted Enhanced CT, PS3.3 A.38 and A.70). */
export interface EnhancedCt {
  readonly frames: number;
  /**
   * @param frame from 1
   * @returns one frame as a single-frame slice, with a UID of its own that depends on the object and the frame only
   * @throws the DICOM_* codes
   */
  slice(frame: number): CtSlice;
}

/** Attributes of the multi-frame modules, which a single-frame image does not have. */
const multiFrameOnly: ReadonlySet<number> = new Set([
  tags.sharedFunctionalGroups,
  tags.perFrameFunctionalGroups,
  tags.numberOfFrames,
  ...[0x00089205, 0x00089206, 0x00089207, 0x00209161, 0x00209162, 0x00209163, 0x00209228],
  ...[0x00209221, 0x00209222, 0x00209311, 0x00189004],
]);
/** Macros that describe the frame among others or where it came from, not the image. */
const notOfTheImage: ReadonlySet<number> = new Set([
  ...[tags.frameContent, tags.conversionSource, 0x00089092, 0x00082112, 0x00089124, 0x00081140],
]);

/** A single-frame CT image must have these, but they may be empty (type 2, PS3.3 C.8.2.1): KVP, Acquisition Number. */
const requiredOfSingle = [
  [0x00180060, 'DS'],
  [0x00200012, 'IS'],
] as const;

/**
 * Reads an uncompressed multi-frame CT object. What stands in its functional groups (PS3.3 C.7.6.16) becomes attributes of
 * each slice, as in a single-frame image.
 * @throws DICOM_PARSE, DICOM_ATTRIBUTE_MISSING, DICOM_ATTRIBUTE_INVALID, DICOM_NOT_CT, DICOM_PIXEL_LENGTH
 */
export function readEnhancedCt(bytes: Uint8Array): EnhancedCt {
  const file = parsePart10(bytes);
  const { dataSet } = file;
  const sopClass = attributeText(dataSet, tags.sopClassUid) ?? '';
  if (!isEnhancedCt(sopClass)) throw new DenoiseError('DICOM_NOT_CT', { reason: 'SOP class' });
  const sopInstanceUid = requiredUid(dataSet, tags.sopInstanceUid);
  const frames = decimals(dataSet, tags.numberOfFrames)[0] ?? missing(tags.numberOfFrames);
  const perFrame = dataSet.get(tags.perFrameFunctionalGroups)?.items ?? [];
  const [shared] = dataSet.get(tags.sharedFunctionalGroups)?.items ?? [];
  if (perFrame.length !== frames)
    throw new DenoiseError('DICOM_ATTRIBUTE_INVALID', {
      attribute: 'PerFrameFunctionalGroupsSequence',
      reason: 'another number than the frames',
    });
  const frameBytes = requiredWord(dataSet, tags.rows) * requiredWord(dataSet, tags.columns) * 2;
  const pixels = dataSet.get(tags.pixelData);
  const length = pixels?.value.length ?? 0;
  if (!pixels?.encapsulated && length !== frameBytes * frames)
    throw new DenoiseError('DICOM_PIXEL_LENGTH', { bytes: length, expected: frameBytes * frames });

  return {
    frames,
    slice(frame) {
      const group = perFrame[frame - 1];
      if (!group) throw new DenoiseError('DICOM_MULTIFRAME', { frame, frames });
      const single = new Map([...dataSet].filter(([tag]) => !multiFrameOnly.has(tag)));
      for (const [tag, element] of [...attributesOf(shared), ...attributesOf(group)])
        single.set(tag, element);
      const frameType = single.get(tags.frameType);
      if (frameType) single.set(tags.imageType, frameType);
      single.delete(tags.frameType);
      single.set(tags.sopClassUid, text('UI', ctImageStorage));
      single.set(tags.sopInstanceUid, text('UI', frameUid(sopInstanceUid, frame)));
      single.set(tags.instanceNumber, text('IS', String(frame)));
      for (const [tag, vr] of requiredOfSingle) if (!single.has(tag)) single.set(tag, text(vr, ''));
      if (pixels && !pixels.encapsulated)
        single.set(tags.pixelData, {
          ...pixels,
          value: pixels.value.subarray(frameBytes * (frame - 1), frameBytes * frame),
        });
      return {
        ...sliceOf({ ...file, meta: new Map(), dataSet: single }),
        frameOf: { sopClassUid: sopClass, sopInstanceUid, frame },
      };
    },
  };
}

/** Enhanced CT Image Storage and Legacy Converted Enhanced CT Image Storage; the third of the family is a volume. */
export const isEnhancedCt = (sopClass: string): boolean =>
  sopClass === `${ctImageStorage}.1` || sopClass === `${ctImageStorage}.2`;

/** The SOP Instance UID that a frame has as a slice of its own. */
export const frameUid = (sopInstanceUid: string, frame: number): string =>
  derivedUid('frame', sopInstanceUid, String(frame));

/** What the macros of a functional group say about the image. */
function attributesOf(group: DataSet | undefined): (readonly [number, DataElement])[] {
  return [...(group ?? [])]
    .filter(([tag]) => !notOfTheImage.has(tag))
    .flatMap(([tag, element]) =>
      element.items ? element.items.flatMap((item) => [...item]) : [[tag, element] as const],
    )
    .filter(([tag]) => !multiFrameOnly.has(tag));
}

const text = (vr: string, value: string): DataElement => ({
  vr,
  value: Uint8Array.from(value, (character) => character.charCodeAt(0)),
});
