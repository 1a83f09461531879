import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';
import { startHost, type RunningHost } from '@cipherdose/server';
import { startBridge, type Bridge, type JobState } from '@cipherdose/orthanc-bridge';
import { modeDisclosure } from '@cipherdose/sdk';
import { readCtSlice } from '@cipherdose/sdk/dicom';
import { hashPassword } from '#bridge/status/passwords.js';
import { greyPng } from '#bridge/status/series-images.js';
import { seriousViolations } from '../support/axe-violations.ts';
import { bridgeConfig } from '../support/bridge-config.ts';
import { isDenoised, prepareQueue, removeQueueTemplate, storedSeries } from '../support/bridge-fixture.ts';
import { until } from '../support/child-process.ts';
import { launchChromium } from '../support/chromium.ts';
import { startOrthanc, type TestOrthanc } from '../support/orthanc.ts';
import { RecordingProxy } from '../support/recording-proxy.ts';
import { syntheticSeries } from '../support/synthetic-series.ts';

const project = new URL('../../', import.meta.url);
const sampleFolder = new URL('examples/sample-series/low-dose/', project);
/** A part of the sample series is enough to see something move. */
const sample = readdirSync(sampleFolder)
  .filter((name) => name.endsWith('.dcm'))
  .slice(0, 5)
  .map((name) => new Uint8Array(readFileSync(new URL(name, sampleFolder))));
const password = 'correct horse battery staple';
const window = { low: -160, high: 240 };

const proxy = new RecordingProxy();
let host: RunningHost;
let orthanc: TestOrthanc;
let bridge: Bridge;
let browser: Browser;
let page: Page;
const complaints: string[] = [];

beforeAll(async () => {
  host = await startHost({ threads: 1 });
  const hostUrl = await proxy.listen();
  proxy.target = host.url;
  orthanc = await startOrthanc();
  const config = await bridgeConfig({
    ...{ orthanc, hostUrl, model: 'linear', action: { mode: 'linear' }, queue: { attempts: 1 } },
    settings: {
      name: 'radiology-1',
      status: { port: 0, users: [{ name: 'admin', passwordHash: await hashPassword(password) }] },
      orthancs: [
        {
          ...{ name: 'pacs', url: orthanc.url, username: orthanc.username, password: orthanc.password },
          viewerUrl: 'https://viewer.example.org/viewer?StudyInstanceUIDs={study}',
        },
      ],
    },
  });
  await prepareQueue(config.dataFolder);
  bridge = await startBridge(config);
  browser = await launchChromium();
  page = await (await browser.newContext({ viewport: { width: 1280, height: 900 } })).newPage();
  page.setDefaultTimeout(60_000);
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  await until('the bridge can work', () => [...bridge.peers().values()].filter(Boolean).length === 3);
});
afterAll(async () => {
  await browser?.close();
  await bridge?.close();
  await orthanc?.close();
  await proxy.close();
  await host?.close();
  removeQueueTemplate();
});
beforeEach(() => {
  complaints.length = 0;
});

describe('log in', () => {
  test('nothing is told to strangers', async () => {
    await page.goto(bridge.statusUrl ?? '');
    await page.waitForSelector('#login:not([hidden])');
    for (const path of ['api/overview', 'api/jobs', 'api/rules', 'api/audit', 'api/events', 'api/history'])
      expect((await page.request.get(`${bridge.statusUrl}/${path}`)).status()).toBe(401);
  });

  test('a wrong password is refused', async () => {
    await logIn('correct horse battery stable');
    await page.waitForSelector('#login-error:not(:empty)');
    expect(await page.innerText('#login-error')).toBe('The name or the password is wrong');
    expect(await page.isVisible('#page')).toBe(false);
    expect(await page.inputValue('#login-password')).toBe('');
  });

  test('the right one is let in', async () => {
    await logIn(password);
    await page.waitForSelector('#page:not([hidden]) #connection[data-live=true]');
    expect(await page.innerText('#bridge-name')).toBe('radiology-1');
    expect((await page.innerText('#peers')).split('\n')).toEqual([
      'Model host answers',
      'Orthanc pacs answers',
      'Queue answers',
    ]);
    const [cookie] = await page.context().cookies();
    expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Strict' });
    expect(complaints).toEqual([]);
  });
});

test('series that are given up say why and what to do', async () => {
  proxy.refuseFrames = true;
  for (const slice of syntheticSeries(1, 2)) await orthanc.upload(slice);
  for (const slice of syntheticSeries(2, 6).toSpliced(3, 1)) await orthanc.upload(slice);
  await page.waitForSelector('#failed [data-state=failed]');
  await page.waitForSelector('#failed [data-state=quarantined]');
  const text = await page.innerText('#failed');
  for (const words of ['REQUEST_INVALID', 'Replay', 'The series has gaps', 'Send the rest'])
    expect(text).toContain(words);
  expect([await count('failed'), await count('quarantined')]).toEqual(['1', '1']);
});

test('a series goes from waiting to running to finished before our eyes', async () => {
  proxy.refuseFrames = false;
  proxy.frameDelayMs = 100;
  await page.click('#pause');
  await page.waitForSelector('body[data-paused=true]');
  for (const slice of sample) await orthanc.upload(slice);
  await page.waitForSelector('#queued [data-state=queued]');
  expect(await count('running')).toBe('0');

  await page.click('#pause');
  const card = await page.waitForSelector('#running .card progress[value]');
  expect(await card.getAttribute('max')).toBe(String(sample.length));
  await page.waitForFunction(() =>
    /about .+ left/.test(document.querySelector('#running')?.textContent ?? ''),
  );
  expect(await page.innerText('#running')).toMatch(
    /of 5 slices · about .+ left · .+ sent, .+ received, encrypted/,
  );

  await page.waitForFunction(() => (document.querySelector('progress')?.value ?? 0) >= 1);
  await takePicture('bridge-running');

  await page.waitForSelector('#done [data-state=done]');
  proxy.frameDelayMs = 0;
  expect(await page.innerText('#running')).toBe('No series runs.');
  expect([await count('running'), await count('queued'), await count('done')]).toEqual(['0', '0', '1']);
  expect(await page.innerText('#done .facts')).toMatch(/^5 slices · in .+ · .+ MB sent, .+ MB received$/);
  await page.waitForFunction(() =>
    document.querySelector('#history-summary')?.textContent?.startsWith('1 series with 5 slices'),
  );
});

test('a finished series shows its middle slice before and after, as it is in Orthanc', async () => {
  for (const side of ['before', 'after'])
    await page.waitForFunction((wanted) => {
      const image = document.querySelector(`#done img[src$=${wanted}]`);
      return image instanceof HTMLImageElement && image.complete && image.naturalWidth === 512;
    }, side);
  expect(await page.getAttribute('#done [data-mode=linear]', 'title')).toBe(modeDisclosure.linear);
  const [job] = await bridge.jobs({ states: ['done'] });
  const png = async (side: string): Promise<Buffer> => {
    const answer = await page.request.get(`${bridge.statusUrl}/api/jobs/${job?.id}/images/${side}`);
    expect(answer.headers()['cache-control']).toBe('no-store');
    return answer.body();
  };
  const bySlice = sample.map((bytes) => readCtSlice(bytes));
  bySlice.sort((a, b) => (a.instanceNumber ?? 0) - (b.instanceNumber ?? 0));
  const middle = bySlice.length >> 1;
  const [derived] = await storedSeries(orthanc, isDenoised);
  expect((await png('before')).equals(greyPng(imageAt(bySlice, middle), window))).toBe(true);
  expect((await png('after')).equals(greyPng(imageAt(derived?.slices ?? [], middle), window))).toBe(true);

  const viewer = await page.request.get(`${bridge.statusUrl}/jobs/${job?.id}/viewer`, { maxRedirects: 0 });
  const study = await orthanc.get<OrthancStudy>(`/studies/${job?.study}`);
  expect(viewer.headers()['location']).toBe(
    `https://viewer.example.org/viewer?StudyInstanceUIDs=${study.MainDicomTags['StudyInstanceUID']}`,
  );

  await page.click('#done .thumbnails');
  await page.waitForSelector('#pictures[open]');
  await page.waitForFunction(
    () => document.querySelector<HTMLImageElement>('#picture-after')?.naturalWidth === 512,
  );
  await takePicture('bridge-pictures', false);
  await page.keyboard.press('Escape');
  expect(await page.getAttribute('#picture-before', 'src')).toBeNull();
});

test('the page is accessible, breaks none of its own rules and names no patient', async () => {
  await page.evaluate(() => (document.activeElement as HTMLElement).blur());
  await takePicture('bridge-status');
  expect(await seriousViolations(page)).toEqual([]);
  expect(complaints).toEqual([]);
  const text = await page.content();
  const secrets: string[] = [];
  for (const id of await orthanc.get<string[]>('/studies')) {
    const study = await orthanc.get<OrthancStudy>(`/studies/${id}`);
    const { PatientName = '', PatientID = '' } = study.PatientMainDicomTags;
    secrets.push(PatientName, PatientID, study.MainDicomTags['StudyInstanceUID'] ?? '');
  }
  expect(secrets).toContain('CipherDose^Sample');
  for (const secret of secrets.filter((each) => each !== '')) expect(text).not.toContain(secret);
});

test('the failed series is replayed', async () => {
  expect(await states()).toEqual(['done', 'failed', 'quarantined']);
  await page.click('#failed tr:has([data-state=failed]) button[data-replay]');
  await page.waitForSelector('#done .card:nth-child(2)');
  await page.waitForFunction(() => document.querySelectorAll('#failed [data-state]').length === 1);
  expect(await states()).toEqual(['done', 'done', 'quarantined']);
  expect(await storedSeries(orthanc, isDenoised)).toHaveLength(2);
});

test('rules are tried on what is there, and mistakes are named by their line', async () => {
  await page.click('nav a[href="#rules"]');
  await page.waitForSelector('#rules li');
  expect(await page.innerText('#rules')).toContain('modality is CT');
  expect(await page.innerText('#rules [data-learns=linear]')).toBe(modeDisclosure.linear);
  await page.fill('#trial-rules', 'rules:\n  - name: soft\n    action: { modell: linear }\n');
  await page.click('#trial button');
  await page.waitForSelector('#trial-error:not(:empty)');
  expect(await page.innerText('#trial-error')).toContain('line: 3');

  await page.fill(
    '#trial-rules',
    [
      'rules:',
      '  - name: thin chest',
      '    match: { seriesDescription: "Chest*", instances: { min: 100 } }',
      '    action: { model: balanced }',
      '  - name: everything of this scanner',
      '    match: { modality: CT, instances: { max: 4 } }',
      '    action: { model: linear, priority: 5 }',
    ].join('\n'),
  );
  await page.click('#trial button');
  await page.waitForSelector('#trial-results tbody tr:nth-child(5)');
  expect(await page.innerText('#trial-error')).toBe('');
  const results = await page.innerText('#trial-results');
  expect(results).toContain('1 of 5 would be taken.');
  expect(results).toContain('not thin chest: instances 2 is below 100');
  await takePicture('bridge-rules');
  expect(await seriousViolations(page)).toEqual([]);
  expect(await bridge.jobs()).toHaveLength(3);
});

test('the audit trail says who did what', async () => {
  await page.click('nav a[href="#activity"]');
  await page.waitForSelector('#activity tbody tr');
  const text = await page.innerText('#activity');
  for (const entry of [
    'login refused',
    'series replayed',
    'looked at pictures',
    'denoised series written',
    'mode linear',
    'resumed',
  ])
    expect(text).toContain(entry);
  expect(text).toMatch(/admin\s+paused/);
  expect(await seriousViolations(page)).toEqual([]);
});

test('who logs out is a stranger again', async () => {
  await page.click('#logout');
  await page.waitForSelector('#login:not([hidden])');
  expect((await page.request.get(`${bridge.statusUrl}/api/overview`)).status()).toBe(401);
});

interface OrthancStudy {
  readonly MainDicomTags: Readonly<Record<string, string>>;
  readonly PatientMainDicomTags: Readonly<Record<string, string>>;
}

async function logIn(typed: string): Promise<void> {
  await page.fill('#login-name', 'admin');
  await page.fill('#login-password', typed);
  await page.keyboard.press('Enter');
}

const count = (state: JobState): Promise<string> => page.innerText(`[data-count=${state}] dd`);

const states = async (): Promise<JobState[]> => (await bridge.jobs()).map(({ state }) => state).sort();

function imageAt(slices: readonly ReturnType<typeof readCtSlice>[], index: number) {
  const slice = slices[index];
  if (!slice) throw new Error(`no slice ${index}`);
  return slice.image;
}

/** Keeps a picture of the page; that of the documentation is replaced only if asked for. */
async function takePicture(name: string, fullPage = true): Promise<void> {
  const folder = process.env['CIPHERDOSE_PICTURES'] === '1' ? 'docs/images/' : 'out/';
  mkdirSync(new URL(folder, project), { recursive: true });
  writeFileSync(new URL(`${folder}${name}.png`, project), await page.screenshot({ fullPage }));
}
