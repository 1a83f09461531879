import { expect, test } from '@jest/globals';
import { encodePart, firstPart } from '#ohif/dicomweb/multipart.js';
import { refusal } from '../../support/refusal.ts';

const part = Uint8Array.of(1, 13, 10, 45, 45, 98, 0, 255, 13, 10);

test.each(['boundary=b1', 'boundary="b1"'])('a part comes back from %s', async (parameter) => {
  const body = new Uint8Array(await encodePart(part, 'application/dicom', 'b1').arrayBuffer());
  expect(firstPart(body, `multipart/related; ${parameter}; type="application/dicom"`)).toEqual(part);
});

test('what is no multipart body is refused', () => {
  expect(() => firstPart(part, 'application/dicom')).toThrow(refusal('DICOM_PARSE'));
  expect(() => firstPart(part, 'multipart/related; boundary=b1')).toThrow(refusal('DICOM_PARSE'));
});
