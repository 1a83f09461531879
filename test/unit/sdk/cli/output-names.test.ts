import { describe, expect, it } from '@jest/globals';
import { readCtSlice, type CtSlice } from '@cipherdose/sdk/dicom';
import { OutputNames } from '#sdk/cli/output-names.js';
import { makeCtDicom } from '../../../support/make-ct.ts';

const slice = (seriesInstanceUid: string): CtSlice =>
  readCtSlice(makeCtDicom({ rows: 2, columns: 2, hu: [0, 0, 0, 0], seriesInstanceUid }));

describe('OutputNames', () => {
  it('keeps a series in one folder, with the names of the source files', () => {
    const names = new OutputNames('out');
    const paths = ['in/001.dcm', 'in/I2', 'elsewhere/1.2.3.DCM'].map((file) =>
      names.pathFor(slice('2.25.2'), file),
    );
    expect(paths[0]).toMatch(/^out\/series-3-[0-9a-f]{8}\/001\.dcm$/);
    const folder = (paths[0] as string).replace('001.dcm', '');
    expect(paths.slice(1)).toEqual([`${folder}I2.dcm`, `${folder}1.2.3.dcm`]);
  });

  it('never gives a path twice, not even in another case', () => {
    const names = new OutputNames('out');
    const paths = ['a/x.dcm', 'b/x.dcm', 'c/X'].map((file) => names.pathFor(slice('2.25.2'), file));
    expect(paths.map((path) => path.split('/')[2])).toEqual(['x.dcm', 'x-2.dcm', 'X-3.dcm']);
  });

  it('tells series of the same number apart', () => {
    const names = new OutputNames('out');
    expect(names.pathFor(slice('2.25.2'), 'x')).not.toBe(names.pathFor(slice('2.25.3'), 'x'));
  });

  it('says nothing of the patient', () => {
    expect(new OutputNames('out').pathFor(slice('2.25.2'), 'x')).not.toMatch(/Phantom|Chest|2\.25/);
  });
});
