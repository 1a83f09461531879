import { expect, test } from '@jest/globals';
import {
  frameUid,
  readCtSlice,
  readEnhancedCt,
  writeDerivedSlice,
  type DerivationOptions,
} from '@cipherdose/sdk/dicom';
import { attributeText } from '#sdk/dicom/attributes.js';
import { tags } from '#sdk/dicom/tags.js';
import { withValues } from '../../../support/own-series.ts';
import { sampleFile } from '../../../support/sample-files.ts';

const hounsfield = new Map([[tags.rescaleType, new TextEncoder().encode('HU')]]);
const file = withValues(sampleFile('legacy-enhanced'), hounsfield);
const options: DerivationOptions = {
  model: { id: 'linear', version: '1.0.0', digest: 'ab'.repeat(32) },
  mode: 'linear',
  timestamp: new Date('2026-11-24T03:36:05Z'),
  softwareVersion: '0.1.0',
};

test('every frame is a slice with its own place, pixels and UID', () => {
  const object = readEnhancedCt(file);
  expect(object.frames).toBe(3);
  const slices = [1, 2, 3].map((frame) => object.slice(frame));
  expect(slices.map(({ imagePosition }) => imagePosition?.[2])).toEqual([-177.75, -175.25, -172.75]);
  expect(slices.map(({ instanceNumber }) => instanceNumber)).toEqual([1, 2, 3]);
  expect(new Set(slices.map(({ sopInstanceUid }) => sopInstanceUid)).size).toBe(3);
  for (const { header, frameOf, sopInstanceUid, image } of slices) {
    expect(header).toMatchObject({ rows: 38, columns: 23, pixelSpacing: [0.7, 0.7], rescaleIntercept: 0 });
    expect(sopInstanceUid).toBe(frameUid(frameOf?.sopInstanceUid ?? '', frameOf?.frame ?? 0));
    expect(image.hu).toHaveLength(38 * 23);
  }
});

test('a derived frame names the frame that it came from', () => {
  const slice = readEnhancedCt(file).slice(2);
  const derived = readCtSlice(writeDerivedSlice(slice, slice.image, options));
  expect(derived.image.hu).toEqual(slice.image.hu);
  expect(derived.dataSet.has(tags.perFrameFunctionalGroups)).toBe(false);
  expect(derived.dataSet.has(tags.numberOfFrames)).toBe(false);
  const [source] = derived.dataSet.get(tags.sourceImageSequence)?.items ?? [];
  expect(source && attributeText(source, tags.referencedFrameNumber)).toBe('2');
  expect(source && attributeText(source, tags.referencedSopClassUid)).toBe('1.2.840.10008.5.1.4.1.1.2.2');
  expect(source && attributeText(source, tags.referencedSopInstanceUid)).toBe(slice.frameOf?.sopInstanceUid);
});

test.each([
  ['DICOM_MULTIFRAME', () => readEnhancedCt(file).slice(4)],
  ['DICOM_NOT_CT', () => readEnhancedCt(sampleFile('ge-small'))],
  ['DICOM_ATTRIBUTE_INVALID', () => readEnhancedCt(sampleFile('legacy-enhanced')).slice(1)],
  [
    'DICOM_ATTRIBUTE_INVALID',
    () => readEnhancedCt(withValues(file, new Map([[tags.numberOfFrames, new TextEncoder().encode('4 ')]]))),
  ],
  [
    'DICOM_PIXEL_LENGTH',
    () => readEnhancedCt(withValues(file, new Map([[tags.pixelData, new Uint8Array(100)]]))),
  ],
])('%s', (code, read) => {
  expect(read).toThrow(expect.objectContaining({ code }));
});
