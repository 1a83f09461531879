import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { deflateRawSync } from 'node:zlib';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { createDenoiseClient, type HuImage } from '@cipherdose/sdk';
import { isDenoised, readCtSlice } from '@cipherdose/sdk/dicom';
import {
  checkConfig,
  evaluateClear,
  loadModel,
  openRegistry,
  startHost,
  type RunningHost,
} from '@cipherdose/server';
import { seriousViolations } from '../support/axe-violations.ts';
import { startBrowserExample, type BrowserExample } from '../support/browser-example.ts';
import { launchChromium } from '../support/chromium.ts';
import { RecordingProxy, type RecordedRequest } from '../support/recording-proxy.ts';
import { sampleFile } from '../support/sample-files.ts';

const project = new URL('../../', import.meta.url);
const slicePath = (number: number): string =>
  fileURLToPath(new URL(`examples/sample-series/low-dose/${String(number).padStart(3, '0')}.dcm`, project));
const samplePath = slicePath(6);
const sample = readCtSlice(readFileSync(samplePath));
const frameType = 'application/vnd.cipherdose.frame';

const littleEndian = (values: Int16Array): Buffer => {
  const bytes = Buffer.alloc(2 * values.length);
  values.forEach((value, i) => bytes.writeInt16LE(value, 2 * i));
  return bytes;
};
const sha256 = ({ hu }: HuImage): string => createHash('sha256').update(littleEndian(hu)).digest('hex');

const proxy = new RecordingProxy();
let host: RunningHost;
let example: BrowserExample;
let browser: Browser;
let context: BrowserContext;
let page: Page;
let complaints: string[];

beforeAll(async () => {
  const proxyUrl = await proxy.listen();
  example = await startBrowserExample('--server', proxyUrl);
  host = await startHost({ corsOrigins: [example.origin] });
  proxy.target = host.url;
  browser = await launchChromium();
});
afterAll(async () => {
  await browser?.close();
  await example?.stop();
  await proxy.close();
  await host?.close();
});

beforeEach(async () => {
  proxy.requests.length = 0;
  proxy.frameDelayMs = 0;
  complaints = [];
  context = await browser.newContext({ viewport: { width: 1220, height: 780 } });
  page = await context.newPage();
  page.setDefaultTimeout(100_000);
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  await page.goto(example.origin);
  await page.waitForSelector('.model');
});
afterEach(() => context.close());

async function choose(model: string, ...files: readonly string[]): Promise<void> {
  const mode = model === 'linear' ? 'linear' : 'interactive';
  await page.check(`input[name=model][value="${model} ${mode}"]`);
  await page.setInputFiles('#files', files);
  await page.waitForSelector('#viewer[data-state=loaded]');
}

/** Runs the chosen model and returns the digest of the result and the seconds from the click to the picture. */
async function denoise(): Promise<{ digest: string | null; seconds: number }> {
  const start = performance.now();
  await page.click('#denoise');
  const result = await page.waitForSelector('#result[data-result-sha256]');
  const seconds = (performance.now() - start) / 1000;
  return { digest: await result.getAttribute('data-result-sha256'), seconds };
}

const notice = (): Promise<string> => page.innerText('#notice:not([hidden])');

describe.each(['linear', 'balanced'])('the model %s in Chromium', (model) => {
  test('gives the bits of the Node SDK and of the clear network, and sends ciphertext only', async () => {
    await choose(model, samplePath);
    const workers: string[] = [];
    page.on('worker', (worker) => workers.push(new URL(worker.url()).pathname));
    const wasm = page.waitForResponse((response) => response.url().endsWith('/seal_allows.wasm'));
    const { digest, seconds } = await denoise();
    process.stdout.write(`Chromium, ${model}: ${seconds.toFixed(2)} s a slice\n`);

    expect(workers).toContain('/he-worker.js');
    expect((await wasm).headers()['content-type']).toBe('application/wasm');
    expect(complaints).toEqual([]);
    expectCiphertextOnly(proxy.requests);

    const client = createDenoiseClient({ serverUrl: host.url });
    for await (const result of client.denoise(sample.image, { model })) {
      if (!result.ok) throw result.error;
      expect(sha256(result.image)).toBe(digest);
    }
    client.close();

    const { directory } = (await openRegistry(checkConfig({}).models)).get(model);
    expect(sha256(evaluateClear(await loadModel(directory), sample.image))).toBe(digest);
  });
});

/** No request body but frames, and in no frame 64 neighbouring pixels of a row, as HU or as the file stores them. */
function expectCiphertextOnly(requests: readonly RecordedRequest[]): void {
  const bodies = requests.filter(({ body }) => body.length > 0);
  expect(bodies.length).toBeGreaterThan(0);
  expect(
    requests.filter(({ method, path }) => method === 'GET' && !/^\/v1\/models(\/|$)/.test(path)),
  ).toEqual([]);
  expect(requests.filter(({ method }) => !['GET', 'OPTIONS', 'POST'].includes(method))).toEqual([]);
  for (const { method, path, contentType } of bodies) {
    expect([method, contentType]).toEqual(['POST', frameType]);
    expect(path).toMatch(/^\/v1\/models\/[a-z]+\/layers\/\d+$/);
  }
  const { width, hu } = sample.image;
  const file = readFileSync(samplePath);
  for (const row of [200, 240, 256, 300, 340]) {
    const pixels = hu.slice(row * width + 224, row * width + 288);
    const stored = littleEndian(pixels.map((value) => value - sample.header.rescaleIntercept));
    expect(file.includes(stored)).toBe(true);
    for (const { body } of bodies) {
      expect(body.includes(littleEndian(pixels))).toBe(false);
      expect(body.includes(stored)).toBe(false);
    }
  }
  // Ciphertexts look random: they cannot be compressed.
  for (const { body } of bodies) expect(deflateRawSync(body).length).toBeGreaterThan(0.99 * body.length);
}

describe('with slices that are denoised', () => {
  test('a series is shown in the order of the scan, and comes back as derived DICOM files', async () => {
    await choose('linear', slicePath(7), slicePath(6));
    expect(await page.innerText('#slice-number')).toBe('1 of 2');
    await denoise();
    await page.waitForSelector('#download:not([hidden])');
    const files: Uint8Array[] = [];
    const both = new Promise<void>((resolve) => {
      page.on('download', (download) => {
        void download.path().then((path) => {
          if (files.push(readFileSync(path)) === 2) resolve();
        });
      });
    });
    await page.click('#download');
    await both;
    const derived = files.map(readCtSlice);
    expect(derived.every(isDenoised)).toBe(true);
    await page.fill('#slice', '2');
    const shown = await page.waitForSelector('#result[data-result-sha256]');
    expect(derived.map(({ image }) => sha256(image))).toContain(
      await shown.getAttribute('data-result-sha256'),
    );
    await refusal(files[0] as Uint8Array, 'denoised already');
    expect(complaints).toEqual([]);
  });

  test('every view and state can be used without a mouse and has no serious accessibility fault', async () => {
    expect(await seriousViolations(page)).toEqual([]);
    await choose('balanced', samplePath);
    await denoise();
    await page.waitForSelector('#summary:not([hidden])');
    takePicture(await page.screenshot());
    expect(await seriousViolations(page)).toEqual([]);
    await page.keyboard.press('b');
    expect(await page.getAttribute('#viewer', 'data-view')).toBe('swipe');
    expect(await page.getAttribute('#blink', 'aria-pressed')).toBe('true');
    await page.focus('#views-swipe');
    await page.keyboard.press('ArrowRight');
    expect(await page.getAttribute('#viewer', 'data-view')).toBe('difference');
    expect(await page.isVisible('#difference')).toBe(true);
    await page.focus('#presets-soft');
    await page.keyboard.press('ArrowRight');
    expect(await page.inputValue('#level')).toBe('-600');
    expect(await seriousViolations(page)).toEqual([]);
  });

  test('cancelling stops the requests within a second and ends the workers', async () => {
    await choose('balanced', samplePath);
    proxy.frameDelayMs = 200;
    await page.click('#denoise');
    await page.waitForFunction(
      () => /^[1-9]/.test(document.querySelector('#progress-tiles')?.textContent ?? ''),
      null,
      {
        polling: 100,
      },
    );
    expect(page.workers().length).toBeGreaterThan(0);
    await page.click('#cancel');
    expect(await notice()).toContain('Cancelled');
    expect(await proxy.lateRequests()).toEqual([]);
    expect(page.workers()).toEqual([]);
    expect(await page.isEnabled('#denoise')).toBe(true);
  });
});

describe('what cannot be denoised is refused with a reason and something to do', () => {
  test.each([
    ['corrupt/garbage', 'not a readable DICOM file'],
    ['jpeg-baseline', 'pixel data is compressed'],
    ['legacy-enhanced', 'several frames'],
    ['corrupt/short-pixeldata', 'cut short'],
  ])('%s: %s', async (name, reason) => {
    await refusal(sampleFile(name), reason);
    expect(await page.isEnabled('#denoise')).toBe(false);
  });

  test('files among good ones are named, and the good ones are opened', async () => {
    const bad = { name: 'report.dcm', mimeType: 'application/dicom', buffer: Buffer.from('no CT') };
    const good = { name: 'ct.dcm', mimeType: 'application/dicom', buffer: readFileSync(samplePath) };
    await drop([bad, good]);
    expect(await notice()).toContain('report.dcm');
    await page.waitForSelector('#viewer[data-state=loaded]');
    expect(page.workers()).toEqual([]);
  });

  test('a host that is not there', async () => {
    await page.fill('#host-url', 'http://127.0.0.1:9');
    await page.keyboard.press('Enter');
    expect(await notice()).toContain('cannot be reached');
    expect(await page.isEnabled('#denoise')).toBe(false);
  });
});

test('started without an address, it brings its own host, and the sample slice', async () => {
  const alone = await startBrowserExample();
  try {
    await page.goto(alone.origin);
    await page.waitForSelector('.model');
    await page.click('#sample');
    await page.waitForSelector('#viewer[data-state=loaded]');
    expect(await page.isEnabled('#denoise')).toBe(true);
    expect(complaints).toEqual([]);
  } finally {
    await alone.stop();
  }
});

async function refusal(file: Uint8Array, reason: string): Promise<void> {
  await page.setInputFiles('#files', [
    { name: 'refused.dcm', mimeType: 'application/dicom', buffer: Buffer.from(file) },
  ]);
  const text = await notice();
  expect(text).toContain(reason);
  expect(text).toContain('refused.dcm');
}

async function drop(files: readonly { name: string; buffer: Buffer }[]): Promise<void> {
  const contents = files.map(({ name, buffer }) => ({ name, base64: buffer.toString('base64') }));
  const transfer = await page.evaluateHandle((dropped) => {
    const data = new DataTransfer();
    for (const { name, base64 } of dropped) {
      const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
      data.items.add(new File([bytes], name));
    }
    return data;
  }, contents);
  await page.dispatchEvent('#drop-zone', 'drop', { dataTransfer: transfer });
}

/** Keeps a picture of the page; that of the documentation is replaced only if asked for. */
function takePicture(picture: Buffer): void {
  const folder = process.env['CIPHERDOSE_PICTURES'] === '1' ? 'docs/images/' : 'out/';
  mkdirSync(new URL(folder, project), { recursive: true });
  writeFileSync(new URL(`${folder}browser-denoise.png`, project), picture);
}
