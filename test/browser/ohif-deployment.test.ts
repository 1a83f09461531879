import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { startHost, type RunningHost } from '@cipherdose/server';
import { launchChromium } from '../support/chromium.ts';
import { pause, startEmbeddedArchive, storeFiles } from '../support/ohif-session.ts';
import { openStudy, startViewer, waitForText } from '../support/ohif-viewer.ts';
import { ReverseProxy, type Place } from '../support/reverse-proxy.ts';
import type { ServedPage } from '../support/served-page.ts';
import { syntheticSeries } from '../support/synthetic-series.ts';

// As in a hospital: one reverse proxy has the viewer under one path and the model host under another, a gateway before
// the host looks at the viewer's own OpenID token, and somebody works without a mouse.

const slices = 12;
const viewerPath = '/ward/viewer/';
const hostPath = '/ward/models';
const proxy = new ReverseProxy();
let origin: string;
let hostPlace: Place;
let host: RunningHost;
let browser: Browser;

beforeAll(async () => {
  origin = await proxy.listen();
  host = await startHost({ open: true, threads: 1 });
  hostPlace = { origin: host.url, strip: hostPath, authorization: 'Bearer first' };
  proxy.places.set(`${hostPath}/`, hostPlace);
  browser = await launchChromium({ webgl: true });
});
afterAll(async () => {
  await browser?.close();
  await proxy.close();
  await host?.close();
});

describe.each(['3.11.1', '3.13.2'])('OHIF %s under a path', (version) => {
  let archive: Awaited<ReturnType<typeof startEmbeddedArchive>>;
  let viewer: ServedPage;
  let context: BrowserContext;
  let page: Page;

  beforeAll(async () => {
    archive = await startEmbeddedArchive();
    const settings = { defaultModel: 'linear', defaultRange: 'series', authentication: { kind: 'openid' } };
    viewer = await startViewer(version, hostPath, settings, archive.url, viewerPath);
    await storeFiles(archive.url, syntheticSeries(1, slices, { rows: 128, columns: 128 }));
    proxy.places.set(viewerPath, { origin: viewer.origin });
    proxy.requests.length = 0;
    hostPlace.authorization = 'Bearer first';
    context = await browser.newContext({ viewport: { width: 1400, height: 850 } });
    page = await context.newPage();
    page.setDefaultTimeout(60_000);
    page.on('dialog', (dialog) => void dialog.accept());
    const refused = 'does not accept your key or login';
    await openStudy(page, `${origin}${viewerPath}cipherdose?StudyInstanceUIDs=2.25.1`, refused);
  });
  afterAll(async () => {
    await context?.close();
    await viewer?.stop();
    await archive?.close();
  });

  const signIn = (token: string): Promise<void> =>
    page.evaluate((header) => {
      const { services } = window as unknown as { services: SignInServices };
      services.userAuthenticationService.setServiceImplementation({
        getAuthorizationHeader: () => ({ Authorization: header }),
      });
    }, `Bearer ${token}`);

  const tokensAtHost = (from: number): readonly (string | undefined)[] => [
    ...new Set(
      proxy.requests
        .slice(from)
        .filter(({ path }) => path.startsWith(hostPath))
        .map(({ authorization }) => authorization),
    ),
  ];

  test('everything comes from below the two paths', () => {
    const paths = proxy.requests.map(({ path }) => path);
    expect(paths.length).toBeGreaterThan(10);
    expect(paths.filter((path) => !path.startsWith(viewerPath) && !path.startsWith(hostPath))).toEqual([]);
  });

  test('the host gets the token of the viewer', async () => {
    await signIn('first');
    const from = proxy.requests.length;
    await page.click('[data-cy=cipherdose-test]');
    await waitForText(page, 'cipherdose-connection', 'Connected');
    expect(tokensAtHost(from)).toEqual(['Bearer first']);
  });

  test('a token that expires in a run: one message, and the run goes on with the new one', async () => {
    await page.click('[data-cy=cipherdose-denoise]');
    await page.waitForFunction(
      () => /[1-9]\d* of 12/.test(document.querySelector('[data-cy=cipherdose-result]')?.textContent ?? ''),
      null,
      { polling: 20 },
    );
    hostPlace.authorization = 'Bearer second';
    await waitForText(page, 'cipherdose-notice', 'does not accept your key or login');
    expect(await page.locator('[data-cy=cipherdose-notice]').count()).toBe(1);
    expect(await page.innerText('[data-cy=cipherdose-notice]')).toContain('sign in to the viewer again');
    expect(await page.innerText('[data-cy=cipherdose-denoise]')).toBe('Continue');
    await signIn('second');
    const from = proxy.requests.length;
    await page.click('[data-cy=cipherdose-denoise]');
    await waitForText(page, 'cipherdose-result', `${slices} of ${slices} slices`);
    expect(await page.locator('[data-cy=cipherdose-notice]').count()).toBe(0);
    expect(tokensAtHost(from)).toEqual(['Bearer second']);
    await page.waitForSelector('[data-cy=cipherdose-report]');
  });

  /** What has the keyboard. */
  const focused = (): Promise<string> =>
    page.evaluate(() => {
      const element = document.activeElement;
      return element?.getAttribute('data-cy') ?? element?.id ?? element?.tagName ?? '';
    });

  test('the panel is worked with the keyboard alone', async () => {
    await page.focus('#cipherdose-range');
    const order: string[] = [];
    for (let step = 0; step < 12; step++) {
      await page.keyboard.press('Tab');
      const label = await page.evaluate(() => {
        const element = document.activeElement as HTMLInputElement | null;
        return element?.labels?.[0]?.textContent ?? element?.textContent ?? '';
      });
      order.push(label.trim().replace(/\d.*/, '').trim());
    }
    expect(order).toEqual([
      ...['Denoise', '', 'Strength', 'Compare', 'Difference', 'Blink'],
      ...['Save to archive…', 'Download ZIP', 'Discard', 'Model', 'Model card', 'Test connection'],
    ]);
  });

  test('saving by keyboard: Enter opens and asks at once, Escape closes, the focus comes back', async () => {
    await page.focus('[data-cy=cipherdose-save]');
    await page.keyboard.press('Enter');
    expect(await focused()).toBe('cipherdose-suffix-0');
    await page.keyboard.press('Escape');
    expect(await page.locator('[data-cy=cipherdose-save-now]').count()).toBe(0);
    expect(await focused()).toBe('cipherdose-save');
    await page.keyboard.press('Space');
    expect(await focused()).toBe('cipherdose-suffix-0');
    // Letters that are hotkeys are text here.
    await page.keyboard.press('End');
    await page.keyboard.type(' bB');
    expect(await page.inputValue('#cipherdose-suffix-0')).toBe(' [denoised] bB');
    await page.keyboard.press('Enter');
    await waitForText(page, 'cipherdose-result', 'Saved.');
    await pause(200);
    expect(await focused()).toBe('cipherdose-save');
    expect(proxy.requests.some(({ path }) => path.startsWith(`${viewerPath}dicom-web/studies`))).toBe(true);
  });

  test('a run by keyboard: Enter starts it, Escape does not end it, Space on Cancel does', async () => {
    await page.focus('#cipherdose-strength-0');
    await page.keyboard.press('ArrowLeft');
    await waitForText(page, 'cipherdose-result', '95%');
    for (let step = 0; step < 6; step++) await page.keyboard.press('Tab');
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Discard');
    await page.keyboard.press('Enter'); // Discard; the question is answered by yes.
    await page.waitForSelector('[data-cy=cipherdose-result]', { state: 'detached' });
    expect(await focused()).toBe('cipherdose-denoise');
    await page.keyboard.press('Enter');
    await page.waitForSelector('[data-cy=cipherdose-cancel]');
    await pause(100);
    expect(await focused()).toBe('cipherdose-cancel');
    await page.keyboard.press('Escape');
    await pause(100);
    expect(await focused()).toBe('cipherdose-cancel');
    await page.keyboard.press('Space');
    await waitForText(page, 'cipherdose-notice', 'Cancelled');
    await page.waitForSelector('[data-cy=cipherdose-cancel]', { state: 'detached' });
    await pause(100);
    expect(await focused()).toBe('cipherdose-denoise');
  });
});

interface SignInServices {
  readonly userAuthenticationService: {
    setServiceImplementation(implementation: object): void;
  };
}
