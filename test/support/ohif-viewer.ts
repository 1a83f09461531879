import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';
import { until } from './child-process.ts';
import { requireDebian } from './debian-packages.ts';
import { startServedPage, type ServedPage } from './served-page.ts';

/** What the tests use of OHIF's globals. */
interface OhifWindow {
  readonly cornerstone?: {
    getRenderingEngines(): { getViewports(): TestViewport[] }[] | undefined;
  };
}
interface TestViewport {
  getCurrentImageId?(): string | undefined;
  getCurrentImageIdIndex?(): number;
  getImageData?(): { imageData: { getPointData(): { getScalars(): { getData(): Int16Array } } } };
}

/** Runs `npm run viewer` as a user would: OHIF, the extension and an archive with the sample series. */
export function startViewer(
  version: string,
  hostUrl: string,
  settings: object,
  archive = 'orthanc',
  base = '/',
): Promise<ServedPage> {
  if (archive === 'orthanc') requireDebian(['orthanc', 'orthanc-dicomweb']);
  return startServedPage(
    'examples/dist/ohif-viewer/serve.js',
    ...['--port', '0', '--ohif', version, '--server', hostUrl, '--settings', JSON.stringify(settings)],
    ...['--archive', archive, '--base', base],
  );
}

// requestAnimationFrame starves under software rendering.
const polling = 100;

/** Opens a study and waits until a slice is on screen and the panel says that the server is connected, or `ready`. */
export async function openStudy(page: Page, url: string, ready = 'Connected'): Promise<void> {
  await page.goto(url);
  await page.waitForFunction(
    () =>
      (window as OhifWindow).cornerstone
        ?.getRenderingEngines()?.[0]
        ?.getViewports()[0]
        ?.getCurrentImageId?.(),
    null,
    { polling, timeout: 120_000 },
  );
  await waitForText(page, 'cipherdose-connection', ready);
}

/** Waits until a part of the panel shows a text. */
export async function waitForText(page: Page, part: string, text: string): Promise<void> {
  await page.waitForFunction(
    ([name, wanted]) => document.querySelector(`[data-cy=${name}]`)?.textContent?.includes(wanted as string),
    [part, text],
    { polling, timeout: 120_000 },
  );
}

/** SHA-256 of the pixels that are drawn in the viewport of a result, and which slice of the stack it is. */
export async function shownResult(page: Page): Promise<{ digest: string; index: number } | undefined> {
  return page.evaluate(async () => {
    const viewport = (window as OhifWindow).cornerstone
      ?.getRenderingEngines()
      ?.flatMap((engine) => engine.getViewports())
      .find((one) => one.getCurrentImageId?.()?.startsWith('cipherdose:'));
    const pixels = viewport?.getImageData?.().imageData.getPointData().getScalars().getData();
    if (!viewport || !pixels) return undefined;
    const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', Int16Array.from(pixels)));
    return {
      digest: [...digest].map((byte) => byte.toString(16).padStart(2, '0')).join(''),
      index: viewport.getCurrentImageIdIndex?.() ?? 0,
    };
  });
}

/** SHA-256 of HU as little-endian 16-bit integers. */
export const sha256 = (hu: Int16Array): string =>
  createHash('sha256')
    .update(new Uint8Array(hu.buffer, hu.byteOffset, hu.byteLength))
    .digest('hex');

/**
 * Threads of web workers, and resident memory in bytes, of all pages of a browser, as the operating system sees them.
 * The browser's own events about workers come late or never when one is ended while it starts.
 */
export async function pageProcesses(browser: Browser): Promise<{ workers: number; memory: number }> {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  await session.detach();
  const ids = processInfo.filter(({ type }) => type === 'renderer').map(({ id }) => id);
  const read = (path: string): string => {
    try {
      return readFileSync(path, 'utf8');
    } catch {
      return ''; // It has ended.
    }
  };
  const threads = ids.flatMap((id) =>
    readdirSync(`/proc/${id}/task`).map((task) => `/proc/${id}/task/${task}`),
  );
  return {
    workers: threads.filter((path) => read(`${path}/comm`).startsWith('DedicatedWorker')).length,
    memory: ids.reduce(
      (sum, id) => sum + 1024 * Number(/VmRSS:\s+(\d+)/.exec(read(`/proc/${id}/status`))?.[1] ?? 0),
      0,
    ),
  };
}

/**
 * Waits until no more workers are left than `most`. A browser lets a worker end on its own for 2 s before it ends it by
 * force, and that worker's own workers before.
 */
export async function untilWorkers(browser: Browser, most: number): Promise<void> {
  let workers = 0;
  await until(
    () => `${workers} workers are left where there were ${most} before the run`,
    async () => {
      ({ workers } = await pageProcesses(browser));
      return workers <= most;
    },
    10,
  );
}
