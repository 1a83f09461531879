import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { startHost, type RunningHost } from '@cipherdose/server';
import { issueKey, writeKeyFile } from '#server/keys/key-file.js';
import { launchChromium } from '../support/chromium.ts';
import {
  pause,
  startEmbeddedArchive,
  startSession,
  storeFiles,
  takePicture,
  type OhifSession,
} from '../support/ohif-session.ts';
import { pageProcesses, waitForText } from '../support/ohif-viewer.ts';
import { RecordingProxy } from '../support/recording-proxy.ts';
import { syntheticSeries } from '../support/synthetic-series.ts';
import { writeTinyModel } from '../support/tiny-model-folder.ts';

// Everything that can go wrong in a real viewer: one message that says what to do, and the viewer stays usable.

const slices = 12;
const study = '2.25.1';
const nowhere = 'http://127.0.0.1:9';
const polling = 100;
const folder = mkdtempSync(join(tmpdir(), 'cipherdose-ohif-'));
const proxy = new RecordingProxy();
const archiveProxy = new RecordingProxy();
let archive: Awaited<ReturnType<typeof startEmbeddedArchive>>;
/** Three hosts that take different keys; the last has another model. */
const hosts: RunningHost[] = [];
const keys: string[] = [];
let browser: Browser;
let session: OhifSession;
let page: Page;

beforeAll(async () => {
  const models = join(folder, 'models');
  await writeTinyModel(models);
  for (const number of [0, 1, 2]) {
    const { key, record } = issueKey(`key ${number}`, new Date());
    const keysFile = join(folder, `keys-${number}.json`);
    // The last host takes the first key.
    await writeKeyFile(keysFile, [number === 2 ? { ...record, sha256: sha256Of(keys[0] ?? '') } : record]);
    keys.push(key);
    const other = number === 2 ? { models } : {};
    hosts.push(await startHost({ keysFile, corsOrigins: ['*'], threads: 1, ...other }));
  }
  const hostUrl = await proxy.listen();
  proxy.target = hostAt(0);
  archive = await startEmbeddedArchive();
  archiveProxy.target = archive.url;
  browser = await launchChromium({ webgl: true });
  session = await startSession(browser, {
    ...{ version: '3.13.2', hostUrl, archive: await archiveProxy.listen(), studyUid: study },
    settings: { defaultModel: 'linear', defaultRange: 'series', authentication: { kind: 'api-key' } },
    ready: 'does not accept your key',
    prepare: ({ origin }) => storeFiles(origin, syntheticSeries(1, slices, { rows: 128, columns: 128 })),
  });
  ({ page } = session);
  page.on('dialog', (dialog) => void dialog.accept());
});
afterAll(async () => {
  await session?.close();
  await browser?.close();
  await proxy.close();
  await archiveProxy.close();
  await archive?.close();
  for (const host of hosts) await host.close();
  rmSync(folder, { recursive: true, force: true });
});
afterEach(() => {
  proxy.frameDelayMs = 0;
});

const hostAt = (number: number): string => hosts[number]?.url ?? nowhere;

const sha256Of = (text: string): string =>
  spawnSync('openssl', ['dgst', '-sha256', '-r'], { input: text, encoding: 'utf8' }).stdout.slice(0, 64);

const notice = '[data-cy=cipherdose-notice]';

/** The message that is on screen: there is one, not also a toast, and it says what to do. */
async function message(): Promise<string> {
  await page.waitForSelector(notice);
  expect(await page.locator(notice).count()).toBe(1);
  expect(await page.locator('[data-sonner-toast]').count()).toBe(0);
  return (await page.innerText(notice)).replace(/\s+/g, ' ');
}

async function enterKey(key: string): Promise<void> {
  await page.fill('#cipherdose-key', key);
  await page.click('[data-cy=cipherdose-test]');
  await waitForText(page, 'cipherdose-connection', 'Connected');
}

/** Starts a run that takes long enough to be disturbed, and waits for its first slice. */
async function startRun(): Promise<void> {
  proxy.frameDelayMs = 250;
  await page.click('[data-cy=cipherdose-denoise]');
  await page.waitForFunction(
    () =>
      /[1-9]\d* of 12 slices/.test(document.querySelector('[data-cy=cipherdose-result]')?.textContent ?? ''),
    null,
    { polling },
  );
}

async function finished(): Promise<void> {
  proxy.frameDelayMs = 0;
  await waitForText(page, 'cipherdose-result', `${slices} of ${slices} slices`);
  await page.waitForSelector('[data-cy=cipherdose-progress]', { state: 'detached' });
  expect(await page.locator(notice).count()).toBe(0);
}

async function discard(): Promise<void> {
  await page.getByRole('button', { name: 'Discard' }).click();
  await page.waitForSelector('[data-cy=cipherdose-result]', { state: 'detached' });
}

const doneSlices = async (): Promise<number> =>
  Number(/(\d+) of \d+ slices/.exec(await page.innerText('[data-cy=cipherdose-result]'))?.[1]);

test('a wrong key: the server section says so, and the right one helps', async () => {
  await page.fill('#cipherdose-key', 'wrong');
  await page.click('[data-cy=cipherdose-test]');
  await waitForText(page, 'cipherdose-connection', 'does not accept your key or login. Enter the key again');
  await page.click('[data-cy=CipherDose]');
  expect(await message()).toContain('Enter the key again');
  await takePicture(page, 'wrong-key');
  await enterKey(keys[0] ?? '');
});

test('a key that expires in a run: what is done stays, and the run goes on with another', async () => {
  await startRun();
  proxy.target = hostAt(1);
  expect(await message()).toContain('does not accept your key or login');
  const done = await doneSlices();
  expect(done).toBeLessThan(slices);
  await enterKey(keys[1] ?? '');
  const frames = framesOnTheWay();
  expect(await page.innerText('[data-cy=cipherdose-denoise]')).toBe('Continue');
  await page.click('[data-cy=cipherdose-denoise]');
  await finished();
  // One frame a slice of this size: what was done is not done again.
  expect(framesOnTheWay() - frames).toBe(slices - done);
  proxy.target = hostAt(0);
  await enterKey(keys[0] ?? '');
  await discard();
});

const framesOnTheWay = (): number => proxy.requests.filter(({ method }) => method === 'POST').length;

test('a model that is removed in a run', async () => {
  await startRun();
  proxy.target = hostAt(2);
  expect(await message()).toContain('The model is no longer on the server');
  await page.click('[data-cy=cipherdose-test]');
  await waitForText(page, 'cipherdose-connection', '1 model');
  expect(await page.locator('#cipherdose-model option').allInnerTexts()).toEqual(['tiny 1.0.0']);
  proxy.target = hostAt(0);
  await enterKey(keys[0] ?? '');
  await page.selectOption('#cipherdose-model', 'linear');
  await discard();
});

test('a network that is gone in a run and comes back: the run waits and goes on by itself', async () => {
  await startRun();
  proxy.target = nowhere;
  expect(await message()).toContain('cannot be reached. What is done stays, and the run goes on by itself');
  await waitForText(page, 'cipherdose-progress', 'Waiting for the connection');
  await takePicture(page, 'waiting');
  // The viewer is usable meanwhile.
  await page.mouse.move(500, 400);
  await page.mouse.wheel(0, 300);
  proxy.target = hostAt(0);
  await finished();
  await discard();
});

test('an archive that is gone in a run and comes back', async () => {
  await startRun();
  archiveProxy.target = nowhere;
  expect(await message()).toContain('The image archive cannot be reached');
  archiveProxy.target = archive.url;
  await finished();
  await discard();
});

test('a waiting run can be cancelled', async () => {
  await startRun();
  proxy.target = nowhere;
  await waitForText(page, 'cipherdose-progress', 'Waiting for the connection');
  await page.click('[data-cy=cipherdose-cancel]');
  await waitForText(page, 'cipherdose-notice', 'Cancelled');
  expect(await page.locator('[data-cy=cipherdose-progress]').count()).toBe(0);
  proxy.target = hostAt(0);
  await discard();
});

test('a tab that is frozen in a run: the run goes on when it is back', async () => {
  const cdp = await session.context.newCDPSession(page);
  await startRun();
  await cdp.send('Page.setWebLifecycleState', { state: 'frozen' });
  await pause(3000);
  await cdp.send('Page.setWebLifecycleState', { state: 'active' });
  await finished();
  await cdp.detach();
  await discard();
});

describe('leaving with unsaved results', () => {
  const asked: string[] = [];
  let stay = true;

  beforeAll(async () => {
    page.removeAllListeners('dialog');
    page.on('dialog', (dialog) => {
      asked.push(dialog.message());
      void (stay ? dialog.dismiss() : dialog.accept());
    });
    await page.goto(session.viewer.origin);
    await page.evaluate((key) => sessionStorage.setItem('cipherdose.api-key', key), keys[0] ?? '');
    await session.show(study);
  });

  test('the way back to the study list asks, and so does the browser’s own', async () => {
    await startRun();
    await page.click('[data-cy=cipherdose-cancel]');
    await waitForText(page, 'cipherdose-notice', 'Cancelled');
    await page.click('[data-cy=return-to-work-list]');
    expect(asked).toEqual([expect.stringContaining('not saved yet')]);
    // A step within the page, as from the study list to the study.
    await page.evaluate(() => {
      history.pushState(history.state, '', location.href);
      history.back();
    });
    await pause(500);
    expect(asked).toEqual(Array(2).fill(expect.stringContaining('not saved yet')));
    expect(await doneSlices()).toBeGreaterThan(0);
  });

  test('closing the study in a run leaves nothing running', async () => {
    proxy.frameDelayMs = 250;
    stay = false;
    const idle = await pageProcesses(browser);
    await page.click('[data-cy=cipherdose-denoise]');
    await page.waitForSelector('[data-cy=cipherdose-progress]');
    await pause(1000);
    expect((await pageProcesses(browser)).workers).toBeGreaterThan(idle.workers);
    await page.click('[data-cy=return-to-work-list]');
    await page.waitForSelector('[data-cy=cipherdose-panel]', { state: 'detached' });
    expect(await proxy.lateRequests()).toEqual([]);
    const { workers } = await pageProcesses(browser);
    // The others are the viewer's own.
    expect(workers).toBeLessThanOrEqual(idle.workers);
  });
});

test('a certificate that the browser does not trust: one message that names it', async () => {
  const [certFile, keyFile] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  const made = spawnSync(
    'openssl',
    `req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 -out ${certFile} -keyout ${keyFile}`.split(
      ' ',
    ),
    { encoding: 'utf8' },
  );
  if (made.status !== 0) throw new Error(made.stderr);
  const host = await startHost({ tls: { certFile, keyFile }, corsOrigins: ['*'], threads: 1 });
  const other = await startSession(browser, {
    ...{ version: '3.13.2', hostUrl: host.url, archive: 'embedded', settings: {} },
    ready: 'shows a certificate warning, tell your administrator',
  });
  await takePicture(other.page, 'certificate');
  await other.close();
  await host.close();
});
