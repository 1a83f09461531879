import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { modeDisclosure } from '@cipherdose/sdk';
import { readCtSlice } from '@cipherdose/sdk/dicom';
import { loadModel, startHost, type IntegerNetwork, type RunningHost } from '@cipherdose/server';
import { seriousViolations } from '../support/axe-violations.ts';
import { expectedHu } from '../support/bridge-fixture.ts';
import { until } from '../support/child-process.ts';
import { launchChromium } from '../support/chromium.ts';
import {
  derivedFiles,
  startSession,
  storeFiles,
  takePicture,
  type OhifSession,
} from '../support/ohif-session.ts';
import { pageProcesses, sha256, shownResult, untilWorkers, waitForText } from '../support/ohif-viewer.ts';
import { writePrivateModel } from '../support/private-model-folder.ts';
import { privateNetwork } from '../support/private-network.ts';
import { smallPrivateNetwork } from '../support/private-session.ts';
import { RecordingProxy } from '../support/recording-proxy.ts';
import { syntheticSeries } from '../support/synthetic-series.ts';

// Private mode in the real viewer, from the choice of the mode to the saved series.

const slices = 6;
const study = '2.25.1';
const files = syntheticSeries(1, slices, { rows: 128, columns: 128 });
const models = mkdtempSync(join(tmpdir(), 'cipherdose-ohif-'));
const proxy = new RecordingProxy();
let network: IntegerNetwork;
let host: RunningHost;
let browser: Browser;
let session: OhifSession;
let page: Page;

beforeAll(async () => {
  const made = privateNetwork(smallPrivateNetwork);
  await writePrivateModel(models, made);
  // The same network, whose owner allows both modes.
  const either = { ...made, plan: { ...made.plan, id: 'either' } };
  await writePrivateModel(models, either, ['interactive', 'private']);
  network = await loadModel(join(models, 'private', '1.0.0'));
  host = await startHost({ models, corsOrigins: ['*'], threads: 1 });
  const hostUrl = await proxy.listen();
  proxy.target = host.url;
  browser = await launchChromium({ webgl: true });
  session = await startSession(browser, {
    ...{ version: '3.13.2', hostUrl, studyUid: study },
    settings: { defaultModel: 'either', defaultMode: 'private', defaultRange: 'slice', workers: 1 },
    prepare: ({ origin }) => storeFiles(origin, files),
  });
  ({ page } = session);
  page.on('dialog', (dialog) => void dialog.accept());
});
afterAll(async () => {
  await session?.close();
  await browser?.close();
  await proxy.close();
  await host?.close();
  rmSync(models, { recursive: true, force: true });
});

const text = async (part: string): Promise<string> =>
  (await page.innerText(`[data-cy=${part}]`)).replace(/\s+/g, ' ');

/** What the host has been asked since the last time. */
function asked(): string[] {
  const all = new Set(proxy.requests.splice(0).map(({ method, path }) => `${method} ${path}`));
  return [...all].filter((request) => !request.startsWith('OPTIONS')).sort();
}

test('the panel offers the modes that the owner allows, and says what each side learns', async () => {
  const mode = page.locator('#cipherdose-mode');
  expect(await mode.inputValue()).toBe('private');
  expect(await mode.locator('option').count()).toBe(2);
  expect(await text('cipherdose-learns')).toBe(modeDisclosure.private);
  await waitForText(page, 'cipherdose-cost', 'of it need the image');
  await mode.selectOption('interactive');
  expect(await text('cipherdose-learns')).toBe(modeDisclosure.interactive);
  expect(await text('cipherdose-cost')).not.toContain('of it need the image');

  await page.selectOption('#cipherdose-model', 'private');
  expect(await mode.count()).toBe(0);
  expect(await text('cipherdose-only-mode')).toContain('Private');
  expect(await text('cipherdose-learns')).toBe(modeDisclosure.private);
  expect(await seriousViolations(page, '.cipherdose')).toEqual([]);
  await takePicture(page, 'private');
});

test('the slice on screen is denoised to the bits of the clear network, through one session', async () => {
  asked();
  await page.click('[data-cy=CipherDose]');
  await waitForText(page, 'cipherdose-result', `1 of ${slices} slices`);
  const shown = await shownResult(page);
  // The viewer sorts by position, from the head down.
  const digests = files.map((file) => sha256(expectedHu(network, readCtSlice(file))));
  expect(digests).toContain(shown?.digest);
  expect(asked().filter((request) => request !== 'GET /v1/models')).toEqual([
    'GET /v1/models/private',
    'GET /v1/private',
    'POST /v1/private/tickets',
  ]);
});

test('the series goes on though its connection breaks off, and nothing of a run is left', async () => {
  await page.selectOption('#cipherdose-range', 'series');
  await page.click('[data-cy=cipherdose-denoise]');
  await page.waitForFunction(
    () => /[2-4] of 6 slices/.test(document.querySelector('[data-cy=cipherdose-result]')?.textContent ?? ''),
    null,
    { polling: 50 },
  );
  expect(proxy.sockets).toBe(1);
  proxy.breakSockets();
  await waitForText(page, 'cipherdose-result', `${slices} of ${slices} slices`);
  await page.waitForSelector('[data-cy=cipherdose-progress]', { state: 'detached' });
  expect(await page.locator('[data-cy=cipherdose-notice]').count()).toBe(0);
  await until('the session is over', () => proxy.sockets === 0, 10);

  await page.click('[data-cy=cipherdose-save]');
  await page.click('[data-cy=cipherdose-save-now]');
  await waitForText(page, 'cipherdose-result', 'Saved.');
  const stored = (await derivedFiles(session.viewer.origin)).map(readCtSlice);
  const byNumber = (number: number | undefined) =>
    files.map(readCtSlice).find((slice) => slice.instanceNumber === number);
  expect(stored).toHaveLength(slices);
  for (const { image, instanceNumber } of stored) {
    const source = byNumber(instanceNumber);
    expect(source && sha256(expectedHu(network, source))).toBe(sha256(image.hu));
  }
});

test('cancelled: the session ends at once, and so do its workers', async () => {
  await page.getByRole('button', { name: 'Discard' }).click();
  await page.waitForSelector('[data-cy=cipherdose-result]', { state: 'detached' });
  const idle = await pageProcesses(browser);
  await page.click('[data-cy=cipherdose-denoise]');
  await until('a session is open', () => proxy.sockets === 1, 60);
  await page.click('[data-cy=cipherdose-cancel]');
  await waitForText(page, 'cipherdose-notice', 'Cancelled');
  await until('the session is over', () => proxy.sockets === 0, 10);
  await untilWorkers(browser, idle.workers);
});
