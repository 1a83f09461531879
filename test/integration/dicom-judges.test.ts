import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readCtSlice, writeDerivedSlice, type CtSlice, type DerivationOptions } from '@cipherdose/sdk/dicom';
import { requireDebian } from '../support/debian-packages.ts';
import { sameValues } from '../support/same-values.ts';
import { sampleFile } from '../support/sample-files.ts';

const options: DerivationOptions = {
  model: { id: 'balanced', version: '1.0.0', digest: 'ab'.repeat(32) },
  mode: 'interactive',
  timestamp: new Date('2026-11-24T03:36:05Z'),
  softwareVersion: '0.1.0',
};

const sampleSeries = new URL('../../examples/sample-series/low-dose/', import.meta.url);

/** A stand-in for a model: every pixel changes, some leave the range of the stored bits. */
const denoised = ({ image }: CtSlice) => ({
  ...image,
  hu: image.hu.map((hu, index) => (index % 97 === 0 ? -32768 : hu + (index % 5) - 2)),
});
const derive = (source: CtSlice): Uint8Array => writeDerivedSlice(source, denoised(source), options);

/** Lines of dciodvfy (dicom3tools) that begin with Error; it writes everything to standard error. */
const errorsOf = (path: string): string[] =>
  spawnSync('dciodvfy', [path], { encoding: 'utf8' })
    .stderr.split('\n')
    .filter((line) => line.startsWith('Error'));

/** HU as pydicom reads them, as 32-bit numbers beside each file, and some attributes of every file. */
const pydicomScript = `
import json, sys, pydicom
def read(path):
    d = pydicom.dcmread(path)
    hu = d.pixel_array.astype('int64') * int(d.RescaleSlope) + int(d.RescaleIntercept)
    hu.astype('<i4').tofile(path + '.hu')
    return dict(syntax=d.file_meta.TransferSyntaxUID, uid=d.SOPInstanceUID, imageType=list(d.ImageType)[:2],
        patient=str(d.PatientName))
print(json.dumps([read(path) for path in sys.argv[1:]]))
`;

interface Seen {
  readonly hu: Int32Array;
  readonly syntax: string;
  readonly uid: string;
  readonly imageType: readonly string[];
  readonly patient: string;
}

function pydicom(paths: readonly string[]): Seen[] {
  const printed = execFileSync('/usr/bin/python3', ['-c', pydicomScript, ...paths], { encoding: 'utf8' });
  return (JSON.parse(printed) as Omit<Seen, 'hu'>[]).map((seen, index) => {
    const bytes = Uint8Array.from(readFileSync(`${paths[index]}.hu`));
    return { ...seen, hu: new Int32Array(bytes.buffer) };
  });
}

describe('what other programs say about derived slices', () => {
  let folder = '';
  const put = (name: string, bytes: Uint8Array): string => {
    const path = join(folder, name.replace('/', '-'));
    writeFileSync(path, bytes);
    return path;
  };

  beforeAll(() => {
    requireDebian(['dicom3tools', 'dcmtk', 'python3-numpy', 'python3-pydicom']);
    folder = mkdtempSync(join(tmpdir(), 'cipherdose-judges-'));
  }, 600_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const samples = ['ge-lightspeed16', 'philips-brilliance16', 'siemens-sensation16', 'implicit']
    .concat(['big-endian', 'deflated', 'ge-small', 'corrupt/no-spacing'])
    .map((name) => {
      const bytes = sampleFile(name);
      const source = readCtSlice(bytes);
      return { name, bytes, source, derived: derive(source) };
    });

  it.each(samples)('dciodvfy finds no new error in $name', ({ bytes, derived }) => {
    const before = new Set(errorsOf(put('source', bytes)));
    const after = errorsOf(put('derived', derived));
    expect(after.filter((line) => !before.has(line))).toEqual([]);
  });

  it.each(samples)('dcmdump reads $name without a complaint', ({ derived }) => {
    const { status, stderr } = spawnSync('dcmdump', ['--quiet', put('derived', derived)], {
      encoding: 'utf8',
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });

  it('pydicom reads what was written, and the same HU as the reader in every source', () => {
    const before = pydicom(samples.map(({ name, bytes }) => put(`${name}-source`, bytes)));
    const after = pydicom(samples.map(({ name, derived }) => put(`${name}-derived`, derived)));
    samples.forEach(({ name, source, derived }, sample) => {
      const { image, header } = source;
      const { hu, syntax, uid, imageType, patient } = after[sample] as Seen;
      const original = before[sample] as Seen;
      expect([name, sameValues(original.hu, image.hu)]).toEqual([name, true]);
      const { low, high } = header.stored;
      const expected = denoised(source).hu.map((value, index) =>
        image.padding?.[index]
          ? (original.hu[index] as number)
          : Math.max(low, Math.min(high, value - header.rescaleIntercept)) + header.rescaleIntercept,
      );
      expect([name, sameValues(hu, expected)]).toEqual([name, true]);
      expect({ syntax, uid, imageType, patient }).toEqual({
        syntax: '1.2.840.10008.1.2.1',
        uid: readCtSlice(derived).sopInstanceUid,
        imageType: ['DERIVED', 'SECONDARY'],
        patient: original.patient,
      });
    });
  });

  it('a derived sample series is clean, consistent, and the same when made again', () => {
    const names = readdirSync(sampleSeries).filter((name) => name.endsWith('.dcm'));
    expect(names.length).toBeGreaterThanOrEqual(12);
    const paths = names.map((name) => {
      const bytes = readFileSync(new URL(name, sampleSeries));
      const derived = derive(readCtSlice(bytes));
      expect(Buffer.compare(derive(readCtSlice(bytes)), derived)).toBe(0);
      const path = put(`derived-${name}`, derived);
      const before = new Set(errorsOf(put('source', bytes)));
      expect(errorsOf(path).filter((line) => !before.has(line))).toEqual([]);
      return path;
    });
    const { stdout, stderr } = spawnSync('dcentvfy', paths, { encoding: 'utf8' });
    expect(`${stdout}${stderr}`).toBe('');
  });
});
