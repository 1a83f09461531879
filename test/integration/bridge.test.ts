import { describe, expect, test } from '@jest/globals';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { readCtSlice } from '@cipherdose/sdk/dicom';
import { loadModel, startHost } from '@cipherdose/server';
import type { Bridge } from '@cipherdose/orthanc-bridge';
import { allEnded, expectedHu, isDenoised, storedSeries } from '../support/bridge-fixture.ts';
import { bridgeSuite } from '../support/bridge-suite.ts';
import { until } from '../support/child-process.ts';
import type { TestOrthanc } from '../support/orthanc.ts';
import { sampleFile } from '../support/sample-files.ts';
import { syntheticSeries } from '../support/synthetic-series.ts';

const suite = bridgeSuite();

async function send(orthanc: TestOrthanc, slices: readonly Uint8Array[]): Promise<void> {
  for (const slice of slices) await orthanc.upload(slice);
}

const watching = (bridge: Bridge): Promise<void> =>
  until('the feed is read', () => bridge.peers().get('orthanc:pacs') === true);

async function derivedOf(orthanc: TestOrthanc) {
  const derived = await storedSeries(orthanc, isDenoised);
  expect(derived).toHaveLength(1);
  return derived[0];
}

async function deleteStudies(orthanc: TestOrthanc): Promise<void> {
  for (const study of await orthanc.get<string[]>('/studies'))
    await orthanc.send('DELETE', `/studies/${study}`);
}

describe('a series', () => {
  test('comes back complete, equal to the clear evaluator, and nothing comes of the derived one', async () => {
    const orthanc = await suite.orthanc();
    const bridge = await suite.bridge({ orthanc });
    await watching(bridge);
    await send(orthanc, syntheticSeries(1, 4));
    const [job] = await allEnded(() => bridge.jobs(), 1);
    expect(job).toMatchObject({ state: 'done', slices: 4, written: 4, runs: 1, leftOut: [], model: 'tiny' });

    const series = await storedSeries(orthanc);
    const source = series.find(({ description }) => description === 'Chest');
    const derived = series.find(({ description }) => description === 'Chest [denoised]');
    expect(series).toHaveLength(2);
    expect(derived?.slices).toHaveLength(4);
    for (const [index, slice] of (source?.slices ?? []).entries())
      expect(derived?.slices[index]?.image.hu).toEqual(expectedHu(suite.tiny.network, slice));
    for (const { ID } of await orthanc.get<{ ID: string }[]>(`/series/${derived?.id}/instances`)) {
      const md5 = createHash('md5')
        .update(await orthanc.file(ID))
        .digest('hex');
      const reported = await orthanc.send('GET', `/instances/${ID}/attachments/dicom/md5`);
      expect(await reported.text()).toBe(md5);
    }
    const mark = await orthanc.get(`/series/${source?.id}/metadata/5002`);
    expect(mark).toMatchObject({ slices: 4, derived: derived?.id });

    await until('the derived series is stable', async () => {
      return (await orthanc.get<{ IsStable: boolean }>(`/series/${derived?.id}`)).IsStable;
    });
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect(await bridge.jobs()).toHaveLength(1);
    expect(await bridge.metrics.metrics()).toContain('cipherdose_bridge_slices_total 4');
  });

  test('that grows later gets the missing slices into the same derived series', async () => {
    const orthanc = await suite.orthanc();
    const bridge = await suite.bridge({ orthanc, watch: { backfill: true } });
    const slices = syntheticSeries(2, 5);
    await send(orthanc, slices.slice(0, 3));
    await allEnded(() => bridge.jobs(), 1);
    await send(orthanc, slices.slice(3));
    await until('five slices', async () => (await bridge.jobs())[0]?.slices === 5);
    const [job] = await allEnded(() => bridge.jobs(), 1);
    expect(job).toMatchObject({ state: 'done', slices: 5, written: 5 });
    const times = new Set(
      (await derivedOf(orthanc))?.slices.map(({ dataSet }) => text(dataSet.get(0x00080031))),
    );
    expect(times.size).toBe(1);
  });

  test('with a gap is quarantined, and done once the missing slice came', async () => {
    const orthanc = await suite.orthanc();
    const bridge = await suite.bridge({ orthanc, watch: { backfill: true } });
    const slices = syntheticSeries(3, 6);
    await send(orthanc, slices.toSpliced(3, 1));
    const [gap] = await allEnded(() => bridge.jobs(), 1);
    expect(gap).toMatchObject({ state: 'quarantined', errorCode: 'SERIES_INCOMPLETE' });
    expect(gap?.errorDetails).toEqual({ gaps: 1, slicesMissing: 1 });
    expect(await storedSeries(orthanc)).toHaveLength(1);
    await send(orthanc, slices.slice(3, 4));
    await until('done', async () => (await bridge.jobs())[0]?.state === 'done');
    expect((await derivedOf(orthanc))?.slices).toHaveLength(6);
  });
});

const text = (element: { readonly value: Uint8Array } | undefined): string =>
  Buffer.from(element?.value ?? []).toString('latin1');

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
  ['legacy-enhanced', 'SERIES_EMPTY', { leftOut: '1 multi-frame' }],
] as const;

describe('real files', () => {
  const lossless = [
    ...['implicit', 'big-endian', 'deflated', 'rle', 'jpeg-ls', 'jpeg-2000'],
    ...['jpeg-lossless-57', 'jpeg-lossless-70'],
  ];

  test('one slice in every lossless transfer syntax gives the same derived pixels', async () => {
    const orthanc = await suite.orthanc();
    const bridge = await suite.bridge({ orthanc, watch: { backfill: true } });
    const expected = expectedHu(suite.tiny.network, readCtSlice(sampleFile('implicit')));
    let last: Awaited<ReturnType<Bridge['jobs']>> = [];
    for (const name of lossless) {
      await orthanc.upload(sampleFile(name));
      await until(
        () => `${name} is denoised: ${JSON.stringify(last)}`,
        async () => {
          last = await bridge.jobs();
          const series = await orthanc.get<string[]>('/series');
          return series.length === 2 && last.every(({ state }) => state === 'done');
        },
      );
      await allEnded(() => bridge.jobs(), 1);
      expect((await derivedOf(orthanc))?.slices[0]?.image.hu).toEqual(expected);
      await deleteStudies(orthanc);
    }
  });

  test('damaged slices are quarantined, each with its own reason', async () => {
    const orthanc = await suite.orthanc();
    const bridge = await suite.bridge({ orthanc, watch: { backfill: true } });
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

  test('GE, Philips: come back exactly; a Siemens series that calls itself derived is left alone', async () => {
    const orthanc = await suite.orthanc();
    const bridge = await suite.bridge({ orthanc, watch: { backfill: true } });
    const skipped: string[] = [];
    bridge.events.on('skipped', (_orthanc, series) => skipped.push(series));
    const { ParentSeries } = await orthanc.upload(sampleFile('siemens-sensation16'));
    for (const name of ['ge-lightspeed16', 'philips-brilliance16']) await orthanc.upload(sampleFile(name));
    const jobs = await allEnded(() => bridge.jobs(), 2);
    expect(jobs.map(({ state }) => state)).toEqual(['done', 'done']);
    await until('the derived series is left alone', () => skipped.includes(ParentSeries));
    const derived = await storedSeries(orthanc, isDenoised);
    for (const name of ['ge-lightspeed16', 'philips-brilliance16']) {
      const expected = expectedHu(suite.tiny.network, readCtSlice(sampleFile(name)));
      expect(derived.filter(({ slices }) => isDeepStrictEqual(slices[0]?.image.hu, expected))).toHaveLength(
        1,
      );
    }
  });
});

test('the shipped sample series comes back complete with the shipped linear model', async () => {
  const host = await startHost({ threads: 1 });
  suite.atEnd(() => host.close());
  const orthanc = await suite.orthanc();
  const bridge = await suite.bridge({
    orthanc,
    hostUrl: host.url,
    model: 'linear',
    watch: { backfill: true },
  });
  const folder = new URL('../../examples/sample-series/low-dose/', import.meta.url);
  const files = readdirSync(folder).filter((name) => name.endsWith('.dcm'));
  for (const name of files) await orthanc.upload(new Uint8Array(readFileSync(new URL(name, folder))));
  const [job] = await allEnded(() => bridge.jobs(), 1, 110);
  expect(job).toMatchObject({ state: 'done', slices: files.length, written: files.length, model: 'linear' });
  const network = await loadModel(new URL('../../server/models/linear/1.0.0', import.meta.url).pathname);
  const [source, derived] = (await storedSeries(orthanc)).sort(
    (a, b) => a.description.length - b.description.length,
  );
  for (const [index, slice] of (source?.slices ?? []).slice(0, 2).entries())
    expect(derived?.slices[index]?.image.hu).toEqual(expectedHu(network, slice));
});
