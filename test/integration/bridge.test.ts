import { describe, expect, test } from '@jest/globals';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readCtSlice } from '@cipherdose/sdk/dicom';
import { tags } from '#sdk/dicom/tags.js';
import { mountSmallDisk } from '../support/small-disk.ts';
import { loadModel, startHost } from '@cipherdose/server';
import type { Bridge } from '@cipherdose/orthanc-bridge';
import { allEnded, expectedHu, isDenoised, prepareQueue, storedSeries } from '../support/bridge-fixture.ts';
import { bridgeConfig, writeBridgeConfig } from '../support/bridge-config.ts';
import { bridgeSuite } from '../support/bridge-suite.ts';
import { startProcess, until } from '../support/child-process.ts';
import type { TestOrthanc } from '../support/orthanc.ts';
import { runNode } from '../support/run-node.ts';
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

  test('is mixed at the strength of the rule, and says so', async () => {
    const orthanc = await suite.orthanc();
    const bridge = await suite.bridge({ orthanc, watch: { backfill: true }, action: { strength: 0.4 } });
    await send(orthanc, syntheticSeries(1, 2));
    await allEnded(() => bridge.jobs(), 1);
    const [source] = await storedSeries(orthanc, (description) => !isDenoised(description));
    const derived = await derivedOf(orthanc);
    for (const [index, slice] of (source?.slices ?? []).entries())
      expect(derived?.slices[index]?.image.hu).toEqual(expectedHu(suite.tiny.network, slice, 40));
    expect(derived?.slices).toHaveLength(2);
    expect(text(derived?.slices[0]?.dataSet.get(0x00082111))).toContain('then mixed: 40% result, 60% source');
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

test('what was there before the bridge is left alone, also after a restart; what comes later is taken', async () => {
  const orthanc = await suite.orthanc();
  await send(orthanc, syntheticSeries(1, 2));
  const config = await bridgeConfig({ orthanc, hostUrl: suite.tiny.host.url });
  const first = await suite.start(config);
  await watching(first);
  await first.close();
  const second = await suite.start(config);
  await send(orthanc, syntheticSeries(2, 2));
  await allEnded(() => second.jobs(), 1);
  // Reconciliation runs every three seconds here.
  await new Promise((resolve) => setTimeout(resolve, 4000));
  expect(await second.jobs()).toHaveLength(1);
  expect(await storedSeries(orthanc)).toHaveLength(3);
});

test('a series that was there before, and is called stable only afterwards, is left alone until it grows', async () => {
  const orthanc = await suite.orthanc({ settings: { StableAge: 8 } });
  const slices = syntheticSeries(1, 3);
  await send(orthanc, slices.slice(0, 2));
  const bridge = await suite.bridge({ orthanc });
  await watching(bridge);
  const [series] = await storedSeries(orthanc);
  const stable = async () => (await orthanc.get<{ IsStable: boolean }>(`/series/${series?.id}`)).IsStable;
  expect(await stable()).toBe(false);
  await until('it is stable', stable);
  await new Promise((resolve) => setTimeout(resolve, 4000));
  expect(await bridge.jobs()).toEqual([]);
  await send(orthanc, slices.slice(2));
  expect(await allEnded(() => bridge.jobs(), 1)).toMatchObject([{ state: 'done', slices: 3 }]);
});

test('a DICOMweb archive gets the derived series, each object read back; its full disk is waited out', async () => {
  const disk = mountSmallDisk(4);
  suite.atEnd(() => disk.close());
  const pacs = await suite.orthanc();
  const archive = await suite.orthanc({
    storage: disk.folder,
    settings: {
      IndexDirectory: `${disk.folder}-index`,
      Plugins: ['/usr/share/orthanc/plugins/libOrthancDicomWeb.so'],
    },
  });
  disk.fill();
  await send(pacs, syntheticSeries(1, 3));
  // Its third slice cannot be used: nothing of it may get to where it cannot be taken away again.
  const spoilt = syntheticSeries(2, 3);
  spoilt[2] = syntheticSeries(2, 3, { patch: new Map([[tags.rescaleSlope, null]]) })[2] as Uint8Array;
  await send(pacs, spoilt);
  const { username, password } = archive;
  const bridge = await suite.bridge({
    ...{ orthanc: pacs, watch: { backfill: true }, action: { writeTo: 'archive' } },
    settings: {
      dicomwebTargets: [{ name: 'archive', url: `${archive.url}/dicom-web`, username, password }],
    },
  });
  await until('the disk is found full', async () =>
    (await bridge.jobs({ states: ['queued'] })).some(({ errorCode }) => errorCode === 'ORTHANC_STORAGE_FULL'),
  );
  disk.free();
  const jobs = await allEnded(() => bridge.jobs(), 2);
  expect(jobs.map(({ state, errorCode }) => [state, errorCode]).sort()).toEqual([
    ['done', undefined],
    ['quarantined', 'DICOM_ATTRIBUTE_MISSING'],
  ]);
  const derived = await storedSeries(archive);
  expect(derived).toMatchObject([{ description: 'Chest [denoised]' }]);
  expect(derived[0]?.slices.map(({ image }) => image.hu)).toEqual(
    syntheticSeries(1, 3).map((slice) => expectedHu(suite.tiny.network, readCtSlice(slice))),
  );
  expect(await pacs.get<string[]>('/series')).toHaveLength(2);
});

test('the command line: dry run, orders to a running bridge and to none, audit', async () => {
  const orthanc = await suite.orthanc();
  const slices = syntheticSeries(4, 5);
  await send(orthanc, slices.toSpliced(2, 1));
  const config = writeBridgeConfig({
    ...{ orthanc, hostUrl: suite.tiny.host.url, watch: { backfill: true } },
    settings: {
      logLevel: 'info',
      rules: [
        { name: 'heads', match: { bodyPart: 'HEAD' }, action: { model: 'tiny' } },
        { name: 'chests', match: { seriesDescription: 'che*' }, action: { model: 'tiny' } },
      ],
    },
  });
  await prepareQueue(join(config, '..'));
  const program = 'orthanc-bridge/dist/main.js';
  const bridge = (...words: string[]) => runNode(program, ['--config', config, ...words]);

  const dry = await bridge('dry-run', '--json');
  const [series] = await orthanc.get<string[]>('/series');
  expect(JSON.parse(dry.stdout)).toEqual({
    ...{ orthanc: 'pacs', series, instances: 4, rule: 'chests' },
    refused: [{ rule: 'heads', reasons: ['bodyPart is missing'] }],
  });
  expect((await bridge('pause')).code).toBe(0);
  const running = await startProcess(process.execPath, [
    fileURLToPath(new URL(`../../${program}`, import.meta.url)),
    '--config',
    config,
  ]);
  suite.atEnd(() => running.end('SIGKILL'));
  await until('it runs', () => running.output().includes('bridge started'));
  await new Promise((resolve) => setTimeout(resolve, 1500));
  expect(running.output()).not.toContain('series started');
  expect((await bridge('resume')).code).toBe(0);
  await until('the gap is found', () => running.output().includes('series given up'));
  const [, job = ''] = /"job":"([0-9a-f]{16})"/.exec(running.output()) ?? [];
  expect(await bridge('replay', 'nobody')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('JOB_UNKNOWN'),
  });
  expect((await bridge('replay', job)).code).toBe(0);
  await until('it is tried again', () => running.output().includes('"run":2'));
  await running.end('SIGTERM');
  expect(running.output()).toContain('bridge stopped');
  expect(await bridge('verify-audit')).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/ entries, whole$/m),
  });
  expect(await bridge('dry-run', '--limit', '0')).toMatchObject({ code: 1 });
});

const text = (element: { readonly value: Uint8Array } | undefined): string =>
  Buffer.from(element?.value ?? []).toString('latin1');

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
