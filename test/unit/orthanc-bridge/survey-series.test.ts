import { expect, test } from '@jest/globals';
import type { RuleAction } from '#bridge/rules/rule-schema.js';
import { surveySeries } from '#bridge/job/survey-series.js';

const slice = (place: number, changes: object = {}) => ({
  SOPClassUID: '1.2.840.10008.5.1.4.1.1.2',
  SOPInstanceUID: `1.2.${place}`,
  SeriesInstanceUID: '1.2.3',
  ImageType: 'ORIGINAL\\PRIMARY\\AXIAL',
  BitsAllocated: '16',
  Rows: '512',
  Columns: '512',
  PixelSpacing: '0.7\\0.7',
  ImageOrientationPatient: '1\\0\\0\\0\\1\\0',
  ImagePositionPatient: `0\\0\\${place}`,
  ...changes,
});
const series = (...slices: readonly object[]) =>
  Object.fromEntries(slices.map((tags, index) => [`instance-${index}`, tags as Record<string, unknown>]));
const strict: Pick<RuleAction, 'gaps' | 'derived'> = { gaps: 'quarantine', derived: 'skip' };
const stack = (count: number) => Array.from({ length: count }, (_, index) => slice(index * 3));

test('localizers, screenshots and the like are left out and listed; slices come in the order of the scan', () => {
  const { slices, leftOut } = surveySeries(
    series(
      ...stack(12).reverse(),
      slice(0, { ImageType: 'ORIGINAL\\PRIMARY\\LOCALIZER' }),
      slice(0, { BitsAllocated: '8' }),
      slice(0, { SamplesPerPixel: '3' }),
      slice(0, { SOPClassUID: '1.2.840.10008.5.1.4.1.1.7' }),
      slice(0, { ImageType: 'DERIVED\\SECONDARY\\MPR' }),
      slice(0, { ImageOrientationPatient: '1\\0\\0\\0\\0\\-1' }),
    ),
    strict,
  );
  expect(slices.map(({ geometry }) => geometry.place)).toEqual(
    Array.from({ length: 12 }, (_, index) => index * 3),
  );
  expect(leftOut.map(({ reason }) => reason)).toEqual([
    ...['localizer', 'screenshot', 'screenshot', 'no CT image', 'derived', 'other geometry'],
  ]);
});

test('derived slices are kept where the rule accepts them, but never what CipherDose made', () => {
  const derived = { ImageType: 'DERIVED\\PRIMARY\\AXIAL' };
  const ours = { ...derived, ContributingEquipmentSequence: [{ ManufacturerModelName: 'CipherDose' }] };
  const { slices, leftOut } = surveySeries(series(slice(0, derived), slice(3, derived), slice(6, ours)), {
    ...strict,
    derived: 'accept',
  });
  expect(slices).toHaveLength(2);
  expect(leftOut).toEqual([{ instance: 'instance-2', reason: 'made by CipherDose' }]);
});

test('gaps are found unless they are accepted; several phases at one place are none', () => {
  const gap = series(...stack(10).toSpliced(4, 2));
  expect(() => surveySeries(gap, strict)).toThrow(
    expect.objectContaining({ code: 'SERIES_INCOMPLETE', details: { gaps: 1, slicesMissing: 2 } }),
  );
  expect(surveySeries(gap, { ...strict, gaps: 'accept' }).slices).toHaveLength(8);
  expect(surveySeries(series(...stack(5), ...stack(5)), strict).slices).toHaveLength(10);
});

test.each([
  ['SERIES_EMPTY', series(slice(0, { BitsAllocated: '8' }))],
  ['SERIES_MIXED', series(...stack(4), ...stack(4).map((tags) => ({ ...tags, Rows: '256' })))],
  ['DICOM_ATTRIBUTE_MISSING', series(slice(0, { ImagePositionPatient: undefined }))],
  ['DICOM_ATTRIBUTE_INVALID', series(slice(0, { PixelSpacing: '0.7' }))],
])('%s', (code, tags) => {
  expect(() => surveySeries(tags, strict)).toThrow(expect.objectContaining({ code }));
});
