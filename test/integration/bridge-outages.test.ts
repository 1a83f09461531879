import { expect, test } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startHost } from '@cipherdose/server';
import { bridgeConfig, writeBridgeConfig } from '../support/bridge-config.ts';
import { allEnded, prepareQueue, storedSeries } from '../support/bridge-fixture.ts';
import { bridgeSuite } from '../support/bridge-suite.ts';
import { startProcess, until } from '../support/child-process.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { freePort } from '../support/free-port.ts';
import { mountSmallDisk } from '../support/small-disk.ts';
import { syntheticSeries } from '../support/synthetic-series.ts';
import { writeTinyModel } from '../support/tiny-model-folder.ts';

const suite = bridgeSuite();
const bridgeProgram = fileURLToPath(new URL('../../orthanc-bridge/dist/main.js', import.meta.url));
const backfill = { watch: { backfill: true } };

test('Orthanc restarted while a series was not yet stable: it never says so, and the series is done all the same', async () => {
  const orthanc = await suite.orthanc({ stableAge: 60 });
  const bridge = await suite.bridge({ orthanc, ...backfill });
  for (const slice of syntheticSeries(1, 3)) await orthanc.upload(slice);
  await orthanc.restart('SIGKILL');
  const [job] = await allEnded(() => bridge.jobs(), 1);
  expect(job).toMatchObject({ state: 'done', slices: 3 });
  const { Changes } = await orthanc.get<{ Changes: { ChangeType: string }[] }>('/changes?limit=100');
  expect(Changes.map(({ ChangeType }) => ChangeType)).not.toContain('StableSeries');
});

test('a full disk on the side of Orthanc is waited out, and nothing is lost or half', async () => {
  const disk = mountSmallDisk(4);
  suite.atEnd(() => disk.close());
  const orthanc = await suite.orthanc({
    storage: disk.folder,
    settings: { IndexDirectory: `${disk.folder}-index` },
  });
  for (const slice of syntheticSeries(2, 3)) await orthanc.upload(slice);
  disk.fill();
  const bridge = await suite.bridge({ orthanc, ...backfill });
  await until('the disk is found full', async () => {
    const [job] = await bridge.jobs();
    return job?.errorCode === 'ORTHANC_STORAGE_FULL' && job.state === 'queued';
  });
  disk.free();
  const [job] = await allEnded(() => bridge.jobs(), 1);
  expect(job).toMatchObject({ state: 'done', attempts: 0 });
  expect((await storedSeries(orthanc)).map(({ slices }) => slices.length)).toEqual([3, 3]);
});

test('a wrong password is told, and put right the series goes on', async () => {
  const orthanc = await suite.orthanc();
  for (const slice of syntheticSeries(3, 2)) await orthanc.upload(slice);
  const options = { hostUrl: suite.tiny.host.url, ...backfill };
  const wrong = await bridgeConfig({ ...options, orthanc: { ...orthanc, password: 'wrong' } });
  const refused = await suite.start(wrong);
  await until('the password is refused', () => refused.peers().get('orthanc:pacs') === false);
  expect(await refused.jobs()).toEqual([]);
  await refused.close();

  const right = await suite.start({
    ...wrong,
    orthancs: (await bridgeConfig({ ...options, orthanc })).orthancs,
  });
  expect(await allEnded(() => right.jobs(), 1)).toMatchObject([{ state: 'done' }]);
});

test('a host that is down is waited for, before a decision and in the middle of a job', async () => {
  const port = await freePort();
  const orthanc = await suite.orthanc();
  const bridge = await suite.bridge({ orthanc, hostUrl: `http://127.0.0.1:${port}`, ...backfill });
  await until('the host is missed', () => bridge.peers().get('host') === false);
  for (const slice of syntheticSeries(4, 2)) await orthanc.upload(slice);
  const { models } = suite.tiny;
  const first = await startHost({ models, threads: 1, port });
  await until('decided', async () => (await bridge.jobs()).length === 1);
  await first.close();
  await new Promise((resolve) => setTimeout(resolve, 500));
  const second = await startHost({ models, threads: 1, port });
  suite.atEnd(() => second.close());
  expect(await allEnded(() => bridge.jobs(), 1)).toMatchObject([{ state: 'done', attempts: 0 }]);
});

test('a clock that is set back by an hour holds up nothing, neither a waiting job nor a new series', async () => {
  const clock = fakeClock();
  suite.atEnd(() => clock.close());
  const port = await freePort();
  const orthanc = await suite.orthanc({ env: clock.env });
  for (const slice of syntheticSeries(7, 2)) await orthanc.upload(slice);
  const { models } = suite.tiny;
  const first = await startHost({ models, threads: 1, port });
  const config = writeBridgeConfig({
    ...{ orthanc, hostUrl: `http://127.0.0.1:${port}`, ...backfill },
    queue: { retryFirstSeconds: 20, retryLongestSeconds: 20 },
    settings: { logLevel: 'info' },
  });
  await prepareQueue(join(config, '..'));
  const bridge = await startProcess(process.execPath, [bridgeProgram, '--config', config], {
    env: clock.env,
  });
  suite.atEnd(() => bridge.end('SIGKILL'));
  const output = (): string => bridge.output();
  await until(output, () => output().includes('series done'));

  await first.close();
  for (const slice of syntheticSeries(8, 2)) await orthanc.upload(slice);
  await until(output, () => output().includes('will be repeated'));
  clock.set(-3600);
  const second = await startHost({ models, threads: 1, port });
  suite.atEnd(() => second.close());
  for (const slice of syntheticSeries(9, 2)) await orthanc.upload(slice);
  await until(output, () => output().split('series done').length === 4);
  expect(output()).toContain('the clock went back');
  expect((await storedSeries(orthanc)).map(({ slices }) => slices.length)).toEqual(Array(6).fill(2));
});

test('a model that the host replaced meanwhile: the waiting series is done with the new version, once', async () => {
  const models = mkdtempSync(join(tmpdir(), 'models-'));
  suite.atEnd(() => rmSync(models, { recursive: true }));
  await writeTinyModel(models);
  const port = await freePort();
  const orthanc = await suite.orthanc();
  const first = await startHost({ models, threads: 1, port });
  const bridge = await suite.bridge({ orthanc, hostUrl: `http://127.0.0.1:${port}`, ...backfill });
  await bridge.pause('a test');
  for (const slice of syntheticSeries(10, 2)) await orthanc.upload(slice);
  await until('queued', async () => (await bridge.counts()).queued === 1);
  await first.close();
  await writeTinyModel(models, '1.1.0');
  const second = await startHost({ models, threads: 1, port });
  suite.atEnd(() => second.close());
  await bridge.resume('a test');
  const jobs = await allEnded(() => bridge.jobs(), 2);
  expect(jobs.map(({ version, state, errorCode }) => [version, state, errorCode]).sort()).toEqual([
    ['1.0.0', 'quarantined', 'PLAN_DIGEST'],
    ['1.1.0', 'done', undefined],
  ]);
  expect((await storedSeries(orthanc)).map(({ slices }) => slices.length)).toEqual([2, 2]);
});

test('a paused bridge takes up nothing, and goes on after resume', async () => {
  const orthanc = await suite.orthanc();
  const bridge = await suite.bridge({ orthanc, ...backfill });
  await bridge.pause('a test');
  for (const slice of syntheticSeries(5, 2)) await orthanc.upload(slice);
  await until('queued', async () => (await bridge.queueCounts()).queued === 1);
  await new Promise((resolve) => setTimeout(resolve, 1500));
  expect(await bridge.counts()).toMatchObject({ queued: 1, done: 0 });
  await bridge.resume('a test');
  expect(await allEnded(() => bridge.jobs(), 1)).toMatchObject([{ state: 'done' }]);
});

test('a quarantined job can be replayed, and a deleted derived series made again', async () => {
  const orthanc = await suite.orthanc();
  const bridge = await suite.bridge({ orthanc, ...backfill });
  const slices = syntheticSeries(6, 5);
  for (const slice of slices.toSpliced(2, 1)) await orthanc.upload(slice);
  const [job] = await allEnded(() => bridge.jobs(), 1);
  expect(job).toMatchObject({ state: 'quarantined', errorCode: 'SERIES_INCOMPLETE' });
  expect((await bridge.queueCounts()).dead).toBe(1);
  await bridge.replay(job?.id ?? '', 'a test');
  await until('tried again', async () => (await bridge.job(job?.id ?? '')).runs === 2);
  expect(await allEnded(() => bridge.jobs(), 1)).toMatchObject([{ state: 'quarantined', runs: 2 }]);

  await orthanc.upload(slices[2] as Uint8Array);
  await until('done', async () => (await bridge.jobs())[0]?.state === 'done');
  const derived = (await storedSeries(orthanc)).find(({ description }) => description.endsWith('[denoised]'));
  await orthanc.send('DELETE', `/series/${derived?.id}`);
  await bridge.replay(job?.id ?? '', 'a test');
  await until('made again', async () => (await storedSeries(orthanc)).length === 2);
  await until('done', async () => (await bridge.jobs())[0]?.state === 'done');
  expect((await storedSeries(orthanc)).map((series) => series.slices.length)).toEqual([5, 5]);
});
