import { describe, expect, it } from '@jest/globals';
import { readCtSlice } from '@cipherdose/sdk/dicom';
import type { AttributeValue } from '#sdk/dicom/dcmjs-library.js';
import { tags } from '#sdk/dicom/tags.js';
import { attribute, makeCtDicom, type CtObject } from '../../../support/make-ct.ts';
import { denoiseErrorOf } from '../../../support/rejections.ts';
import { sameValues } from '../../../support/same-values.ts';
import { sampleFile } from '../../../support/sample-files.ts';

const tiny: CtObject = { rows: 2, columns: 3, hu: [-1024, -1000, 0, 40, 1000, 3071] };
const patched = (tag: number, value: AttributeValue | null): Uint8Array =>
  makeCtDicom({ ...tiny, patch: new Map([[tag, value]]) });

describe('readCtSlice', () => {
  it('gives HU, header, place and UIDs', () => {
    const slice = readCtSlice(makeCtDicom({ ...tiny, instanceNumber: 4 }));
    expect(slice.image).toEqual({ width: 3, height: 2, hu: Int16Array.from(tiny.hu ?? []) });
    expect(slice.header).toEqual({
      rows: 2,
      columns: 3,
      stored: { signed: false, bitsStored: 12, low: 0, high: 4095 },
      rescaleIntercept: -1024,
      imageType: ['ORIGINAL', 'PRIMARY', 'AXIAL'],
      pixelSpacing: [0.7, 0.7],
      seriesNumber: 3,
    });
    expect(slice).toMatchObject({
      sopInstanceUid: '2.25.10004',
      seriesInstanceUid: '2.25.2',
      studyInstanceUid: '2.25.1',
      instanceNumber: 4,
      imagePosition: [-100, -100, 10],
      imageOrientation: [
        [1, 0, 0],
        [0, 1, 0],
      ],
    });
  });

  it('reads intercepts as vendors write them', () => {
    const intercept = (text: string) =>
      readCtSlice(patched(tags.rescaleIntercept, attribute('DS', text))).image.hu[1];
    expect(intercept('-01.024000E+03')).toBe(-1000);
    expect(intercept('-1000')).toBe(-976);
    expect(intercept('+0.0')).toBe(24);
  });

  it('reads a file without preamble, and one without file meta information', () => {
    const file = makeCtDicom(tiny);
    const { hu } = readCtSlice(file).image;
    expect(readCtSlice(file.subarray(132)).image.hu).toEqual(hu);
    const metaLength = 12 + new DataView(file.buffer).getUint32(140, true);
    expect(readCtSlice(file.subarray(132 + metaLength)).image.hu).toEqual(hu);
  });

  it('ignores zeros behind the data set', () => {
    const file = makeCtDicom(tiny);
    const filled = new Uint8Array(file.length + 100);
    filled.set(file);
    expect(readCtSlice(filled).image.hu).toEqual(readCtSlice(file).image.hu);
  });

  it('reads the same pixels in implicit, big endian and deflated files', () => {
    const { image } = readCtSlice(sampleFile('implicit'));
    for (const name of ['big-endian', 'deflated']) {
      const other = readCtSlice(sampleFile(name)).image;
      expect(sameValues(other.hu, image.hu)).toBe(true);
      expect(sameValues(other.padding ?? [], image.padding ?? [])).toBe(true);
    }
  });
});

describe('stored pixels', () => {
  const hu = (object: Omit<CtObject, 'rows' | 'columns'>) => {
    const columns = object.words?.length ?? 0;
    const { image } = readCtSlice(makeCtDicom({ rows: 1, columns, intercept: 0, ...object }));
    return { hu: [...image.hu], padding: image.padding ? [...image.padding] : undefined };
  };

  it('extends the sign from BitsStored and ignores the bits above', () => {
    expect(hu({ words: [0x0fff, 0xffff, 0x07ff, 0xf800], signed: true }).hu).toEqual([-1, -1, 2047, -2048]);
    expect(hu({ words: [0x0fff, 0x8001] }).hu).toEqual([4095, 1]);
    expect(hu({ words: [0x8000, 0x7fff], signed: true, bitsStored: 16 }).hu).toEqual([-32768, 32767]);
  });

  it('masks padding, also when it is written as unsigned for signed pixels', () => {
    const words = [0xf830, 24, 0xf831];
    const ge = { words, signed: true, bitsStored: 16, intercept: -1024 };
    const unsigned = new Map([[tags.pixelPaddingValue, attribute('US', 0xf830)]]);
    expect(hu({ ...ge, patch: unsigned })).toEqual({ hu: [-3024, -1000, -3023], padding: [1, 0, 1] });
    expect(hu({ ...ge, padding: { value: 24 } }).padding).toEqual([1, 1, 1]);
  });

  it('masks a range of padding in either order', () => {
    expect(hu({ words: [0, 1, 2, 3], padding: { value: 2, limit: 1 } }).padding).toEqual([0, 1, 1, 0]);
    expect(hu({ words: [0, 1, 2, 3], padding: { value: 0, limit: 0 } }).padding).toEqual([1, 0, 0, 0]);
  });

  it('masks padding that lies outside the stored bits', () => {
    expect(hu({ words: [0xffff, 0x0fff], padding: { value: 0xffff } }).padding).toEqual([1, 0]);
  });

  it('masks what is too low to be an image although nothing declares it', () => {
    expect(hu({ words: [0, 48, 49], intercept: -2048 }).padding).toEqual([1, 1, 0]);
    expect(readCtSlice(sampleFile('implicit')).image.padding?.filter(Boolean).length).toBe(55772);
  });

  it('keeps padding in 16 bits and refuses an image beyond them', () => {
    expect(hu({ words: [0x8000], signed: true, bitsStored: 16, intercept: -1024 })).toEqual({
      hu: [-32768],
      padding: [1],
    });
    expect(denoiseErrorOf(() => hu({ words: [0x8000], bitsStored: 16 }))).toMatchObject({
      code: 'DICOM_ATTRIBUTE_INVALID',
      attribute: 'PixelData',
    });
  });
});

describe('refusals', () => {
  const refusal = (bytes: Uint8Array) => denoiseErrorOf(() => readCtSlice(bytes));

  it.each([
    ['corrupt/empty', { code: 'DICOM_PARSE', reason: 'empty' }],
    ['corrupt/garbage', { code: 'DICOM_PARSE' }],
    ['corrupt/header-only', { code: 'DICOM_PARSE', reason: 'truncated' }],
    ['corrupt/truncated', { code: 'DICOM_PARSE', reason: 'truncated' }],
    ['corrupt/no-rows', { code: 'DICOM_ATTRIBUTE_MISSING', attribute: 'Rows' }],
    ['corrupt/no-rescale', { code: 'DICOM_ATTRIBUTE_MISSING', attribute: 'RescaleSlope' }],
    ['corrupt/slope-zero', { code: 'DICOM_ATTRIBUTE_INVALID', attribute: 'RescaleSlope', slope: 0 }],
    ['corrupt/odd-slope', { code: 'DICOM_ATTRIBUTE_INVALID', attribute: 'RescaleSlope', slope: 0.5 }],
    ['corrupt/short-pixeldata', { code: 'DICOM_PIXEL_LENGTH', bytes: 523288, expected: 524288 }],
    [
      'jpeg-baseline',
      { code: 'DICOM_COMPRESSED', transferSyntax: '1.2.840.10008.1.2.4.50', name: 'JPEG Baseline' },
    ],
    ['legacy-enhanced', { code: 'DICOM_MULTIFRAME' }],
  ])('%s', (name, expected) => {
    expect(refusal(sampleFile(name))).toMatchObject(expected);
  });

  it('takes a damaged slice whose pixels and rescale are whole', () => {
    expect(readCtSlice(sampleFile('corrupt/no-spacing')).header.pixelSpacing).toBeUndefined();
  });

  it('text that is not DICOM', () => {
    expect(refusal(new TextEncoder().encode('a'.repeat(1000)))).toEqual({
      code: 'DICOM_PARSE',
      reason: 'not DICOM',
    });
  });

  it.each([
    ['another SOP class', tags.sopClassUid, attribute('UI', '1.2.840.10008.5.1.4.1.1.4'), 'SOP class'],
    ['another modality', tags.modality, attribute('CS', 'OT'), 'modality'],
    ['a localizer', tags.imageType, attribute('CS', 'ORIGINAL', 'PRIMARY', 'LOCALIZER'), 'localizer'],
    ['an 8-bit report page', tags.bitsAllocated, attribute('US', 8), '8-bit pixels'],
    ['a colour image', tags.samplesPerPixel, attribute('US', 3), 'colour'],
    ['a palette image', tags.photometricInterpretation, attribute('CS', 'PALETTE COLOR'), 'colour'],
  ])('%s is not CT', (_, tag, value, reason) => {
    expect(refusal(patched(tag, value))).toEqual({ code: 'DICOM_NOT_CT', reason });
  });

  it('several frames', () => {
    const frames = patched(tags.numberOfFrames, attribute('IS', '2'));
    expect(refusal(frames)).toEqual({ code: 'DICOM_MULTIFRAME', frames: 2 });
  });

  it.each([
    ['Columns', tags.columns],
    ['BitsAllocated', tags.bitsAllocated],
    ['BitsStored', tags.bitsStored],
    ['PixelRepresentation', tags.pixelRepresentation],
    ['RescaleIntercept', tags.rescaleIntercept],
    ['PixelData', tags.pixelData],
    ['SOPInstanceUID', tags.sopInstanceUid],
    ['SeriesInstanceUID', tags.seriesInstanceUid],
    ['StudyInstanceUID', tags.studyInstanceUid],
  ])('%s is missing', (attributeName, tag) => {
    expect(refusal(patched(tag, null))).toEqual({
      code: 'DICOM_ATTRIBUTE_MISSING',
      attribute: attributeName,
    });
  });

  it.each([
    ['Rows', tags.rows, attribute('US', 0)],
    ['BitsAllocated', tags.bitsAllocated, attribute('US', 32)],
    ['BitsStored', tags.bitsStored, attribute('US', 17)],
    ['HighBit', tags.highBit, attribute('US', 15)],
    ['PixelRepresentation', tags.pixelRepresentation, attribute('US', 2)],
    ['RescaleSlope', tags.rescaleSlope, attribute('DS', '2')],
    ['RescaleIntercept', tags.rescaleIntercept, attribute('DS', '-1024.5')],
    ['RescaleType', tags.rescaleType, attribute('LO', 'US')],
    ['StudyInstanceUID', tags.studyInstanceUid, attribute('UI', '1')],
  ])('%s cannot be used', (attributeName, tag, value) => {
    expect(refusal(patched(tag, value))).toMatchObject({
      code: 'DICOM_ATTRIBUTE_INVALID',
      attribute: attributeName,
    });
  });

  it('a slope that is not a number', () => {
    const file = patched(tags.rescaleSlope, attribute('DS', '1.25'));
    const at = Buffer.from(file).indexOf('1.25');
    file.set(new TextEncoder().encode('NaN '), at);
    expect(refusal(file)).toMatchObject({ code: 'DICOM_ATTRIBUTE_INVALID', reason: 'not a number' });
  });

  it('a transfer syntax that the standard does not know', () => {
    const file = makeCtDicom(tiny);
    const at = Buffer.from(file).indexOf('1.2.840.10008.1.2.1\0');
    file.set(new TextEncoder().encode('1.2.840.113619.5.2\0\0'), at);
    expect(refusal(file)).toEqual({ code: 'DICOM_COMPRESSED', transferSyntax: '1.2.840.113619.5.2' });
  });

  it('a deflate stream that is cut', () => {
    const file = sampleFile('deflated');
    expect(refusal(file.subarray(0, file.length >> 1))).toEqual({
      code: 'DICOM_PARSE',
      reason: 'deflate stream',
    });
  });
});
