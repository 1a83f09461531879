import { describe, expect, it } from '@jest/globals';
import { groupSeries, readCtSlice, sortSlices } from '@cipherdose/sdk/dicom';
import { tags } from '#sdk/dicom/tags.js';
import { attribute, makeCtDicom, type CtObject } from '../../../support/make-ct.ts';

const slice = (object: Partial<CtObject>) =>
  readCtSlice(makeCtDicom({ rows: 1, columns: 1, hu: [0], ...object }));
const position = (...millimetres: readonly number[]) =>
  [tags.imagePositionPatient, attribute('DS', ...millimetres.map(String))] as const;

describe('sortSlices', () => {
  it('goes along the normal of the slices, whatever the instance numbers', () => {
    const orientation = [
      tags.imageOrientationPatient,
      attribute('DS', '0', '1', '0', '0', '0', '-1'),
    ] as const;
    const slices = [3, -1, 2].map((x, index) =>
      slice({ instanceNumber: index + 1, patch: new Map([orientation, position(x, 5, 5)]) }),
    );
    expect(sortSlices(slices).map(({ imagePosition }) => imagePosition?.[0])).toEqual([3, 2, -1]);
  });

  it('falls back to the instance number when a slice has no position', () => {
    const slices = [
      slice({ instanceNumber: 2, patch: new Map([position(0, 0, 1)]) }),
      slice({ instanceNumber: 1, patch: new Map([[tags.imagePositionPatient, null]]) }),
      slice({ instanceNumber: 7, patch: new Map([[tags.instanceNumber, null]]) }),
    ];
    expect(sortSlices(slices).map(({ instanceNumber }) => instanceNumber)).toEqual([1, 2, undefined]);
  });
});

describe('groupSeries', () => {
  it('keeps the order of the series and sorts each', () => {
    const slices = [
      slice({ seriesInstanceUid: '2.25.9', instanceNumber: 2 }),
      slice({ seriesInstanceUid: '2.25.8', instanceNumber: 1 }),
      slice({ seriesInstanceUid: '2.25.9', instanceNumber: 1 }),
    ];
    const series = groupSeries(slices).map((group) => [
      group.seriesInstanceUid,
      group.studyInstanceUid,
      group.slices.map(({ instanceNumber }) => instanceNumber),
    ]);
    expect(series).toEqual([
      ['2.25.9', '2.25.1', [1, 2]],
      ['2.25.8', '2.25.1', [1]],
    ]);
    expect(groupSeries([])).toEqual([]);
  });
});
