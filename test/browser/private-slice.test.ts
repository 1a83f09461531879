import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { modeDisclosure, type HuImage } from '@cipherdose/sdk';
import { readCtSlice } from '@cipherdose/sdk/dicom';
import { startHost, type RunningHost } from '@cipherdose/server';
import { loadModel } from '#server/registry/load-model.js';
import type { IntegerNetwork } from '#server/network/integer-network.js';
import { integers } from '../support/arbitraries.ts';
import { startBrowserExample, type BrowserExample } from '../support/browser-example.ts';
import { launchChromium } from '../support/chromium.ts';
import { makeCtDicom } from '../support/make-ct.ts';
import { writePrivateModel } from '../support/private-model-folder.ts';
import { privateNetwork } from '../support/private-network.ts';
import { clearResult, smallPrivateNetwork } from '../support/private-session.ts';
import { RecordingProxy } from '../support/recording-proxy.ts';

const proxy = new RecordingProxy();
let root: string;
let network: IntegerNetwork;
let host: RunningHost;
let example: BrowserExample;
let browser: Browser;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'cipherdose-browser-private-'));
  const models = join(root, 'models');
  await mkdir(models);
  await writePrivateModel(models, privateNetwork(smallPrivateNetwork));
  network = await loadModel(join(models, 'private', '1.0.0'));
  example = await startBrowserExample('--server', await proxy.listen());
  host = await startHost({ models, threads: 1, corsOrigins: [example.origin] });
  proxy.target = host.url;
  browser = await launchChromium();
});
afterAll(async () => {
  await browser?.close();
  await example?.stop();
  await proxy.close();
  await host?.close();
  await rm(root, { recursive: true });
});

const side = 64;
const next = integers(5);
const slice = makeCtDicom({
  rows: side,
  columns: side,
  hu: Array.from({ length: side * side }, () => next(-1000, 2000)),
  instanceNumber: 1,
});

/** Of the pixels as the page takes them: 16 bits, little endian. */
function sha256(hu: HuImage['hu'] | Int16Array<ArrayBufferLike>): string {
  const bytes = Buffer.alloc(2 * hu.length);
  hu.forEach((value, i) => bytes.writeInt16LE(value, 2 * i));
  return createHash('sha256').update(bytes).digest('hex');
}

test('a page denoises in private mode, over a connection that breaks off: the bits of the clear network', async () => {
  const page = await browser.newPage();
  page.setDefaultTimeout(100_000);
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    // Chromium says so if a connection breaks off before it stands, which the test may do.
    const broken = message.text().startsWith('WebSocket connection to');
    if (message.type() === 'error' && !broken) complaints.push(message.text());
  });
  await page.goto(example.origin);
  await page.waitForSelector('.model');
  expect(await page.innerText('.model')).toContain(modeDisclosure.private);
  await page.check('input[name=model][value="private private"]');
  await page.setInputFiles('#files', [
    { name: 'ct.dcm', mimeType: 'application/dicom', buffer: Buffer.from(slice) },
  ]);
  await page.waitForSelector('#viewer[data-state=loaded]');

  await page.click('#denoise');
  while (proxy.sockets === 0) await page.waitForTimeout(20);
  proxy.breakSockets();
  const result = await page.waitForSelector('#result[data-result-sha256]');
  const { image } = readCtSlice(slice);
  expect(await result.getAttribute('data-result-sha256')).toBe(sha256(clearResult(network, image)));
  expect(complaints).toEqual([]);
  const sessions = proxy.requests.filter(({ path }) => path === '/v1/private');
  expect(sessions.map(({ contentType }) => contentType)).toEqual(['websocket', 'websocket']);
  // Nothing of the image goes another way.
  const others = proxy.requests.filter(({ body }) => body.length > 0);
  expect(others.map(({ path }) => path)).toEqual(['/v1/private/tickets', '/v1/private/tickets']);
  await page.close();
});
