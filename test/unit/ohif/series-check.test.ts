import { describe, expect, test } from '@jest/globals';
import { instancesOf, refusalReason } from '#ohif/viewer/series-check.js';

const instance = {
  SOPClassUID: '1.2.840.10008.5.1.4.1.1.2',
  ImageType: ['ORIGINAL', 'PRIMARY', 'AXIAL'],
  Rows: 512,
  Columns: 512,
  BitsAllocated: 16,
  SamplesPerPixel: 1,
  RescaleSlope: 1,
};
const displaySet = (changes: object = {}, modality = 'CT', slices = 3) => ({
  displaySetInstanceUID: 'a',
  SeriesInstanceUID: '1.2',
  StudyInstanceUID: '1.1',
  Modality: modality,
  instances: Array.from({ length: slices }, () => ({ ...instance, ...changes })),
});

describe('a series is refused with a reason', () => {
  test.each([
    ['a CT series', displaySet(), undefined],
    ['one slice', displaySet({}, 'CT', 1), undefined],
    ['1000 slices', displaySet({}, 'CT', 1000), undefined],
    ['no series', undefined, 'Open a CT series'],
    ['MR', displaySet({}, 'MR'), 'Only CT'],
    ['no images', displaySet({}, 'CT', 0), 'no images'],
    ['Enhanced CT', displaySet({ SOPClassUID: '1.2.840.10008.5.1.4.1.1.2.1' }), 'Multi-frame'],
    ['several frames', displaySet({ NumberOfFrames: 4 }), 'Multi-frame'],
    ['secondary capture', displaySet({ SOPClassUID: '1.2.840.10008.5.1.4.1.1.7' }), 'Only CT images'],
    ['a localizer', displaySet({ ImageType: ['ORIGINAL', 'PRIMARY', 'LOCALIZER'] }), 'Localizers'],
    ['RGB', displaySet({ SamplesPerPixel: 3 }), 'Colour'],
    ['8 bits', displaySet({ BitsAllocated: 8 }), '16 bits'],
    ['slope 0.5', displaySet({ RescaleSlope: 0.5 }), 'whole Hounsfield'],
    ['too large', displaySet({ Rows: 5000 }), '4096'],
    ['too many slices', displaySet({}, 'CT', 2001), 'at most 2000'],
    [
      'our own result',
      displaySet({ ContributingEquipmentSequence: [{ ManufacturerModelName: 'CipherDose' }] }),
      'denoised already',
    ],
  ])('%s', (_name, set, reason) => {
    const refusal = refusalReason(set, 2000);
    if (reason === undefined) expect(refusal).toBeUndefined();
    else expect(refusal).toContain(reason);
  });

  test('older viewers name the instances images', () => {
    const { instances, ...rest } = displaySet();
    expect(instancesOf({ ...rest, images: instances })).toBe(instances);
  });
});
