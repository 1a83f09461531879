import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readCtSlice, writeDerivedSlice, type CtSlice, type DerivationOptions } from '@cipherdose/sdk/dicom';
import { requireDebian } from '../support/debian-packages.ts';
import { sampleFile } from '../support/sample-files.ts';

const options: DerivationOptions = {
  model: { id: 'interactive', version: '1.0.0', digest: 'ab'.repeat(32) },
  mode: 'interactive',
  timestamp: new Date('2026-11-24T03:36:05Z'),
  softwareVersion: '0.1.0',
};

const vendors = ['ge-lightspeed16', 'philips-brilliance16', 'siemens-sensation16'];
const others = ['implicit', 'big-endian', 'deflated', 'ge-small', 'corrupt/no-spacing'];
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

/** Stored pixels as pydicom reads them, padding and all, as HU; and some attributes. */
const pydicomScript = `
import json, sys, pydicom
d = pydicom.dcmread(sys.argv[1])
hu = d.pixel_array.astype('int64') * int(d.RescaleSlope) + int(d.RescaleIntercept)
hu.astype('<i4').tofile(sys.argv[2])
print(json.dumps([str(d.file_meta.TransferSyntaxUID), str(d.SOPInstanceUID), list(d.ImageType)[:2], str(d.PatientName)]))
`;

describe('what other programs say about derived slices', () => {
  let folder = '';
  beforeAll(() => {
    requireDebian(['dicom3tools', 'dcmtk', 'python3-numpy', 'python3-pydicom']);
    folder = mkdtempSync(join(tmpdir(), 'cipherdose-judges-'));
  }, 600_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const put = (name: string, bytes: Uint8Array): string => {
    const path = join(folder, `${name.replace('/', '-')}.dcm`);
    writeFileSync(path, bytes);
    return path;
  };
  const pydicom = (path: string) => {
    const raw = `${path}.i32`;
    const printed = execFileSync('/usr/bin/python3', ['-c', pydicomScript, path, raw], { encoding: 'utf8' });
    const bytes = new Uint8Array(readFileSync(raw));
    const [syntax, uid, imageType, patient] = JSON.parse(printed) as [string, string, string[], string];
    return { hu: [...new Int32Array(bytes.buffer)], syntax, uid, imageType, patient };
  };

  it.each([...vendors, ...others])('dciodvfy finds no new error in %s', (name) => {
    const bytes = sampleFile(name);
    const before = new Set(errorsOf(put(name, bytes)));
    const after = errorsOf(put(`${name}-derived`, derive(readCtSlice(bytes))));
    expect(after.filter((line) => !before.has(line))).toEqual([]);
  });

  it.each([...vendors, ...others])('pydicom reads the pixels of %s that were written', (name) => {
    const source = readCtSlice(sampleFile(name));
    const path = put(`${name}-derived`, derive(source));
    const { rescaleIntercept, stored } = source.header;
    const { hu, syntax, uid, imageType, patient } = pydicom(path);
    const words = pydicom(put(name, sampleFile(name)));
    const expected = Array.from(denoised(source).hu, (value, index) => {
      if (source.image.padding?.[index]) return words.hu[index];
      return Math.max(stored.low, Math.min(stored.high, value - rescaleIntercept)) + rescaleIntercept;
    });
    expect(hu).toEqual(expected);
    expect(syntax).toBe('1.2.840.10008.1.2.1');
    expect(uid).toBe(readCtSlice(readFileSync(path)).sopInstanceUid);
    expect(imageType).toEqual(['DERIVED', 'SECONDARY']);
    expect(patient).toBe(words.patient);
  });

  it('pydicom and the reader agree on the HU of every source', () => {
    for (const name of [...vendors, ...others]) {
      const { image } = readCtSlice(sampleFile(name));
      expect(pydicom(put(name, sampleFile(name))).hu).toEqual([...image.hu]);
    }
  });

  it('dcmdump reads every derived slice without a complaint', () => {
    for (const name of [...vendors, ...others]) {
      const path = put(`${name}-derived`, derive(readCtSlice(sampleFile(name))));
      const { status, stderr } = spawnSync('dcmdump', ['--quiet', path], { encoding: 'utf8' });
      expect({ name, status, stderr }).toEqual({ name, status: 0, stderr: '' });
    }
  });

  it('a derived sample series is clean, consistent, and the same when made again', () => {
    const names = readdirSync(sampleSeries).filter((name) => name.endsWith('.dcm'));
    expect(names.length).toBeGreaterThanOrEqual(12);
    const paths = names.map((name) => {
      const bytes = readFileSync(new URL(name, sampleSeries));
      const derived = derive(readCtSlice(bytes));
      expect(Buffer.compare(derive(readCtSlice(bytes)), derived)).toBe(0);
      const path = put(`series-${name}`, derived);
      const before = new Set(errorsOf(put(`source-${name}`, bytes)));
      expect(errorsOf(path).filter((line) => !before.has(line))).toEqual([]);
      return path;
    });
    const { stdout, stderr } = spawnSync('dcentvfy', paths, { encoding: 'utf8' });
    expect(`${stdout}${stderr}`).toBe('');
  });
});
