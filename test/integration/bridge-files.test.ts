import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { toNativeSyntax } from '@cipherdose/sdk/pixels';
import { readCtSlice, readEnhancedCt, type CtSlice } from '@cipherdose/sdk/dicom';
import { isPrivate } from '#sdk/dicom/data-set.js';
import { tags } from '#sdk/dicom/tags.js';
import { allEnded, deleteStudies, expectedHu, isDenoised, storedSeries } from '../support/bridge-fixture.ts';
import { bridgeSuite } from '../support/bridge-suite.ts';
import { until } from '../support/child-process.ts';
import { requireDebian } from '../support/debian-packages.ts';
import { dcentvfyLines, dciodvfyErrors, pydicomSums } from '../support/dicom-judges.ts';
import type { TestOrthanc } from '../support/orthanc.ts';
import { asOwnSeries, withValues } from '../support/own-series.ts';
import { sameValues } from '../support/same-values.ts';
import { sampleFile } from '../support/sample-files.ts';

const suite = bridgeSuite();
const backfill = { watch: { backfill: true } };

let folder = '';
beforeAll(() => {
  requireDebian(['dicom3tools', 'python3-numpy', 'python3-pydicom']);
  folder = mkdtempSync(join(tmpdir(), 'bridge-judges-'));
}, 600_000);
afterAll(() => rmSync(folder, { recursive: true }));

const put = (name: string, bytes: Uint8Array): string => {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
};

const lossless = [
  ...['implicit', 'explicit', 'big-endian', 'deflated', 'rle', 'jpeg-ls', 'jpeg-2000'],
  ...['jpeg-lossless-57', 'jpeg-lossless-70'],
];
/** Lossy in their history, but every decoder gives the same words: test/unit/orthanc-bridge/slice-reader.test.ts. */
const decodedExactly = ['jpeg-ls-near', 'jpeg-2000-lossy'];
const compressed = (name: string) => ({ errorCode: 'DICOM_COMPRESSED', errorDetails: { name } });
const refused = {
  // Eight bits: a picture of a CT slice, with no HU in it.
  'jpeg-baseline': { errorCode: 'SERIES_EMPTY', errorDetails: { leftOut: '1 screenshot' } },
  'jpeg-extended': compressed('JPEG Extended'),
  'jpeg-spectral': compressed('JPEG Spectral Selection'),
  'jpeg-progressive': compressed('JPEG Full Progression'),
};

test('one slice in all fifteen transfer syntaxes: equal derived pixels, or a reason', async () => {
  const orthanc = await suite.orthanc();
  const names = [...lossless, ...decodedExactly, ...Object.keys(refused)];
  const sources = new Map<string, string>();
  for (const [index, name] of names.entries()) {
    const { ParentSeries } = await orthanc.upload(asOwnSeries(sampleFile(name), 101 + index));
    sources.set(name, ParentSeries);
  }
  expect(new Set(sources.values()).size).toBe(15);
  const bridge = await suite.bridge({ orthanc, ...backfill, action: { derived: 'accept' } });
  const jobs = await allEnded(() => bridge.jobs(), 15, 280);
  const jobOf = (name: string) => jobs.find(({ series }) => series === sources.get(name));

  for (const [name, reason] of Object.entries(refused))
    expect(jobOf(name)).toMatchObject({ state: 'quarantined', ...reason });
  const derived = new Map<string, CtSlice>();
  for (const { slices } of await storedSeries(orthanc, isDenoised))
    for (const slice of slices) derived.set(slice.seriesInstanceUid, slice);
  expect(derived.size).toBe(11);
  const same = expectedHu(suite.tiny.network, readCtSlice(sampleFile('implicit')));
  for (const name of [...lossless, ...decodedExactly]) {
    const hu = derived.get(jobOf(name)?.derivedSeriesUid ?? '')?.image.hu ?? new Int16Array();
    const expected = lossless.includes(name)
      ? same
      : expectedHu(suite.tiny.network, readCtSlice(await toNativeSyntax(sampleFile(name))));
    expect([name, sameValues(hu, expected)]).toEqual([name, true]);
  }
}, 300_000);

const damaged = [
  ['corrupt/no-rescale', 'DICOM_ATTRIBUTE_MISSING', { attribute: 'RescaleSlope' }],
  ['corrupt/no-rows', 'DICOM_ATTRIBUTE_MISSING', { attribute: 'Rows' }],
  ['corrupt/no-spacing', 'DICOM_ATTRIBUTE_MISSING', { attribute: 'PixelSpacing' }],
  [
    'corrupt/odd-slope',
    'DICOM_ATTRIBUTE_INVALID',
    { attribute: 'RescaleSlope', reason: 'not 1, so HU are not exact', slope: 0.5 },
  ],
  [
    'corrupt/slope-zero',
    'DICOM_ATTRIBUTE_INVALID',
    { attribute: 'RescaleSlope', reason: 'not 1, so HU are not exact', slope: 0 },
  ],
  ['corrupt/short-pixeldata', 'DICOM_PIXEL_LENGTH', { bytes: 523_288, expected: 524_288 }],
  ['legacy-enhanced', 'DICOM_ATTRIBUTE_INVALID', { attribute: 'RescaleType', reason: 'not HU' }],
] as const;

test('damaged slices are quarantined, each with its own reason', async () => {
  const orthanc = await suite.orthanc();
  const bridge = await suite.bridge({ orthanc, ...backfill });
  for (const [name, errorCode, details] of damaged) {
    await orthanc.upload(sampleFile(name));
    const found = (): Promise<boolean> =>
      bridge
        .jobs({ states: ['quarantined'] })
        .then((jobs) =>
          jobs.some((job) => job.errorCode === errorCode && isDeepStrictEqual(job.errorDetails, details)),
        );
    await until(`${name} is quarantined`, found, 30);
    expect(await orthanc.get<string[]>('/series')).toHaveLength(1);
    await deleteStudies(orthanc);
  }
  for (const name of ['empty', 'garbage', 'header-only', 'truncated'])
    await expect(orthanc.upload(sampleFile(`corrupt/${name}`))).rejects.toThrow(/upload: 400/);
});

test('a multi-frame CT comes back as a series of single frames', async () => {
  const orthanc = await suite.orthanc();
  const file = withValues(sampleFile('legacy-enhanced'), new Map([[tags.rescaleType, Buffer.from('HU')]]));
  await orthanc.upload(file);
  const bridge = await suite.bridge({ orthanc, ...backfill });
  const [job] = await allEnded(() => bridge.jobs(), 1);
  expect(job).toMatchObject({ state: 'done', instances: 1, slices: 3, written: 3, leftOut: [] });
  const [derived] = await storedSeries(orthanc, isDenoised);
  const source = readEnhancedCt(file);
  expect(derived?.slices.map(({ image }) => image.hu)).toEqual(
    [1, 2, 3].map((frame) => expectedHu(suite.tiny.network, source.slice(frame))),
  );
  const files = (await derivedFiles(orthanc)).map((bytes, index) => put(`frames-${index}`, bytes));
  expect(dcentvfyLines(files)).toEqual([]);
  const before = dciodvfyErrors(put('frames-source', file));
  expect(files.flatMap(dciodvfyErrors).filter((line) => !before.includes(line))).toEqual([]);
  expect(pydicomSums(files)).toHaveLength(3);
});

const vendors = [
  { name: 'ge-lightspeed16', action: {} },
  { name: 'philips-brilliance16', action: {} },
  // This archive marks what it once compressed as derived.
  { name: 'siemens-sensation16', action: { derived: 'accept' } },
];

describe('derived series of real scanners, as other programs see them', () => {
  test.each(vendors)('$name', async ({ name, action }) => {
    const orthanc = await suite.orthanc();
    const files = [sampleFile(name), sampleFile(`${name}-next`)];
    for (const file of files) await orthanc.upload(file);
    const bridge = await suite.bridge({ orthanc, ...backfill, action });
    expect(await allEnded(() => bridge.jobs(), 1)).toMatchObject([{ state: 'done', slices: 2 }]);

    const sources = files.map((file, index) => put(`${name}-${index}`, file));
    const derived = (await derivedFiles(orthanc)).map((file, index) => put(`${name}-derived-${index}`, file));
    expect(derived).toHaveLength(2);
    const before = new Set(sources.flatMap(dciodvfyErrors));
    expect(derived.flatMap(dciodvfyErrors).filter((line) => !before.has(line))).toEqual([]);
    expect(dcentvfyLines(derived)).toEqual([]);
    expect(dcentvfyLines([...sources, ...derived])).toEqual(dcentvfyLines(sources));
    const expected = files.map((file) => total(expectedHu(suite.tiny.network, readCtSlice(file))));
    expect(pydicomSums(derived).sort()).toEqual(expected.sort());
  });
});

test('a series that calls itself derived is left alone unless the rule accepts it', async () => {
  const orthanc = await suite.orthanc();
  const bridge = await suite.bridge({ orthanc });
  const skipped: string[] = [];
  bridge.events.on('skipped', (_orthanc, series) => skipped.push(series));
  await until('the feed is read', () => bridge.peers().get('orthanc:pacs') === true);
  const { ParentSeries } = await orthanc.upload(sampleFile('siemens-sensation16'));
  await until('the derived series is left alone', () => skipped.includes(ParentSeries));
  expect(await bridge.jobs()).toEqual([]);
});

test.each([false, true])(
  'a name in several character sets stays byte for byte, private attributes by the rule (keep: %s)',
  async (keepPrivateAttributes) => {
    const orthanc = await suite.orthanc();
    // PS3.5 annex H.3.1: Latin letters, then Kanji and Hiragana after escapes.
    const name = Buffer.from(
      'Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B=\x1b$B$d$^$@\x1b(B^\x1b$B$?$m$&\x1b(B',
      'latin1',
    );
    const source = withValues(
      sampleFile('ge-lightspeed16'),
      new Map([
        [tags.specificCharacterSet, Buffer.from('\\ISO 2022 IR 87 ', 'latin1')],
        [tags.patientName, name],
      ]),
    );
    await orthanc.upload(source);
    const bridge = await suite.bridge({ orthanc, ...backfill, action: { keepPrivateAttributes } });
    expect(await allEnded(() => bridge.jobs(), 1)).toMatchObject([{ state: 'done' }]);
    const [file] = await derivedFiles(orthanc);
    const derived = readCtSlice(file ?? new Uint8Array()).dataSet;
    expect(Buffer.from(derived.get(tags.patientName)?.value ?? []).toString('latin1')).toBe(
      name.toString('latin1'),
    );
    expect(Buffer.from(derived.get(tags.specificCharacterSet)?.value ?? []).toString('latin1')).toBe(
      '\\ISO 2022 IR 87 ',
    );
    const privateOf = (dataSet: CtSlice['dataSet']) =>
      [...dataSet].filter(([tag]) => isPrivate(tag) && (tag & 0xffff) !== 0);
    const before = privateOf(readCtSlice(source).dataSet);
    expect(before.length).toBeGreaterThan(10);
    const expected = keepPrivateAttributes ? before : [];
    expect(privateOf(derived).map(([tag, { value }]) => [tag, Buffer.from(value).toString('hex')])).toEqual(
      expected.map(([tag, { value }]) => [tag, Buffer.from(value).toString('hex')]),
    );
  },
);

async function derivedFiles(orthanc: TestOrthanc): Promise<Uint8Array[]> {
  const [derived] = await storedSeries(orthanc, isDenoised);
  const instances = await orthanc.get<{ ID: string }[]>(`/series/${derived?.id}/instances`);
  return Promise.all(instances.map(({ ID }) => orthanc.file(ID)));
}

const total = (hu: Int16Array): number => hu.reduce((sum, value) => sum + value, 0);
