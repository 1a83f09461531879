import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { createDenoiseClient, type HuImage } from '@cipherdose/sdk';
import { readCtSlice, type CtSlice } from '@cipherdose/sdk/dicom';
import { startHost, type RunningHost } from '@cipherdose/server';
import { tags } from '#sdk/dicom/tags.js';
import { launchChromium } from '../support/chromium.ts';
import { attribute, makeCtDicom, type CtObject } from '../support/make-ct.ts';
import {
  derivedFiles,
  judge,
  note,
  startSession,
  storeFiles,
  takePicture,
  type OhifSession,
} from '../support/ohif-session.ts';
import { sha256, waitForText } from '../support/ohif-viewer.ts';
import { sampleFile } from '../support/sample-files.ts';
import { syntheticSeries } from '../support/synthetic-series.ts';

// Every kind of series that a CT archive holds, in a real viewer on a real Orthanc: denoised, or refused with a reason.

const study = '2.25.1';
const polling = 100;

const named = (description: string, patch: CtObject['patch'] = new Map()): Partial<CtObject> => ({
  patch: new Map([[tags.seriesDescription, attribute('LO', description)], ...patch]),
});
const series = (number: number, slices: number, changes: Partial<CtObject>): Uint8Array[] =>
  syntheticSeries(number, slices, changes);

const sixty = series(1, 60, { rows: 128, columns: 128, ...named('Sixty') });
const localizer = new Map([[tags.imageType, attribute('CS', 'ORIGINAL', 'PRIMARY', 'LOCALIZER')]]);
const magnetic = new Map([
  [tags.modality, attribute('CS', 'MR')],
  [tags.sopClassUid, attribute('UI', '1.2.840.10008.5.1.4.1.1.4')],
]);
const secondary = new Map([[tags.sopClassUid, attribute('UI', '1.2.840.10008.5.1.4.1.1.7')]]);
const colour = makeCtDicom({
  ...{ rows: 64, columns: 64, words: new Uint16Array((3 * 64 * 64) / 2) },
  ...{ seriesInstanceUid: '2.25.775', sopInstanceUid: '2.25.8850000' },
  patch: new Map([
    [tags.seriesDescription, attribute('LO', 'Colour')],
    [tags.samplesPerPixel, attribute('US', 3)],
    [tags.photometricInterpretation, attribute('CS', 'RGB')],
    [0x00280006, attribute('US', 0)],
    [tags.bitsAllocated, attribute('US', 8)],
    [tags.bitsStored, attribute('US', 8)],
    [tags.highBit, attribute('US', 7)],
  ]),
});
const files = [
  ...sixty,
  ...series(2, 1, named('Single')),
  ...series(3, 1, named('Localizer', localizer)),
  ...series(4, 3, named('MR', magnetic)),
  colour,
  ...series(6, 1, named('Secondary', secondary)),
  ...series(7, 1000, named('Thousand')),
];

let host: RunningHost;
let browser: Browser;
let session: OhifSession;
let page: Page;

beforeAll(async () => {
  host = await startHost({ corsOrigins: ['*'] });
  browser = await launchChromium({ webgl: true });
  session = await startSession(browser, {
    ...{ version: '3.13.2', hostUrl: host.url, studyUid: study },
    settings: { defaultModel: 'linear', defaultRange: 'series' },
    prepare: ({ origin }) =>
      storeFiles(origin, [...files, sampleFile('jpeg-2000'), sampleFile('legacy-enhanced')]),
  });
  ({ page } = session);
  page.on('dialog', (dialog) => void dialog.accept());
}, 240_000);
afterAll(async () => {
  await session?.close();
  await browser?.close();
  await host?.close();
});

interface OhifServices {
  readonly displaySetService: {
    getActiveDisplaySets(): { SeriesDescription?: string; displaySetInstanceUID: string }[];
  };
  readonly viewportGridService: {
    getActiveViewportId(): string;
    setDisplaySetsForViewports(updates: object[]): void;
  };
}
interface OhifWindow {
  readonly services: OhifServices;
  readonly commandsManager: { runCommand(name: string, options: object): void };
  readonly cornerstone: {
    getRenderingEngines(): { getViewports(): { getAllVolumeIds?(): string[] }[] }[];
    cache: {
      getVolume(id: string): {
        imageIds: string[];
        voxelManager: { getCompleteScalarDataArray(): ArrayLike<number> };
      };
    };
  };
}

/** Puts the series with this description into the active viewport, and waits until the panel is about it. */
async function select(description: string): Promise<void> {
  await page.waitForFunction(
    (wanted) => {
      const { services } = window as unknown as OhifWindow;
      const found = services.displaySetService
        .getActiveDisplaySets()
        .find(({ SeriesDescription }) => SeriesDescription?.startsWith(wanted));
      if (!found) return false;
      services.viewportGridService.setDisplaySetsForViewports([
        {
          viewportId: services.viewportGridService.getActiveViewportId(),
          displaySetInstanceUIDs: [found.displaySetInstanceUID],
        },
      ]);
      return true;
    },
    description,
    { polling, timeout: 60_000 },
  );
}

/** SHA-256 of what the SDK makes of a slice. */
async function sdkResult({ image }: CtSlice): Promise<string> {
  const client = createDenoiseClient({ serverUrl: host.url });
  const results: HuImage[] = [];
  for await (const result of client.denoise(image, { model: 'linear' }))
    if (result.ok) results.push(result.image);
  client.close();
  return sha256(results[0]?.hu ?? new Int16Array(0));
}

const result = (): ReturnType<Page['locator']> => page.locator('[data-cy=cipherdose-result]').last();

async function denoiseAll(slices: number): Promise<void> {
  await page.click('[data-cy=cipherdose-denoise]');
  await result().getByText(`${slices} of ${slices} slice`).waitFor({ timeout: 120_000 });
  await page.waitForSelector('[data-cy=cipherdose-report]');
}

describe('refused with a reason, in the panel and on the button', () => {
  test.each([
    ['Localizer', 'Localizers cannot be denoised'],
    ['MR', 'Only CT can be denoised'],
    ['Colour', 'Colour images cannot be denoised'],
    ['Secondary', 'Only CT images can be denoised'],
  ])('%s', async (description, reason) => {
    await select(description);
    await waitForText(page, 'cipherdose-series', reason);
    expect(await page.isDisabled('[data-cy=cipherdose-denoise]')).toBe(true);
    await expectButton('disabled');
  });
});

/** The toolbar button, which OHIF draws a little later. */
async function expectButton(state: 'enabled' | 'disabled'): Promise<void> {
  await page.waitForFunction(
    (wanted) => {
      const button = document.querySelector<HTMLButtonElement>('button[data-cy=CipherDose-btn]');
      return button && (button.disabled ? 'disabled' : 'enabled') === wanted;
    },
    state,
    { polling, timeout: 20_000 },
  );
}

test('one slice', async () => {
  await select('Single');
  await waitForText(page, 'cipherdose-series', '1 slice');
  await expectButton('enabled');
  await denoiseAll(1);
  await discard();
});

async function discard(): Promise<void> {
  await result().getByRole('button', { name: 'Discard' }).click();
  await page.waitForSelector('[data-cy=cipherdose-result]', { state: 'detached' });
}

test('a thousand slices: the derived series is there at once, and the slices nearby are done', async () => {
  await select('Thousand');
  await waitForText(page, 'cipherdose-series', '1000 slices');
  await page.selectOption('#cipherdose-range', 'nearby');
  const clicked = performance.now();
  await page.click('[data-cy=cipherdose-denoise]');
  await page.waitForSelector('[data-cy=cipherdose-result]');
  note(`1000 slices: the derived series is there after ${Math.round(performance.now() - clicked)} ms`);
  // The slice on screen is the first: five more after it.
  await result().getByText('6 of 1000 slices').waitFor({ timeout: 120_000 });
  await page.waitForSelector('[data-cy=cipherdose-report]');
  await discard();
  await page.selectOption('#cipherdose-range', 'series');
});

test('sixty slices, and MPR of the result while it fills in', async () => {
  await select('Sixty');
  await waitForText(page, 'cipherdose-series', '60 slices');
  const started = performance.now();
  await page.click('[data-cy=cipherdose-denoise]');
  await result()
    .getByText(/[1-9]\d* of 60 slices/)
    .waitFor();
  await select('Denoised');
  await page.evaluate(() => {
    const { commandsManager } = window as unknown as OhifWindow;
    commandsManager.runCommand('setHangingProtocol', { protocolId: 'mpr' });
  });
  await page.waitForFunction(
    () => {
      const { cornerstone } = window as unknown as OhifWindow;
      const viewports = cornerstone.getRenderingEngines().flatMap((engine) => engine.getViewports());
      const volumes = viewports.filter((viewport) => (viewport.getAllVolumeIds?.() ?? []).length > 0);
      return volumes.length >= 3;
    },
    null,
    { polling, timeout: 60_000 },
  );
  const done = Number(/(\d+) of 60 slices/.exec(await result().innerText())?.[1]);
  note(`${done} of 60 slices were done when the reconstruction stood`);
  expect(done).toBeLessThan(60);
  await result().getByText('60 of 60 slices').waitFor({ timeout: 180_000 });
  note(`60 slices of 128 x 128: ${((performance.now() - started) / 1000).toFixed(1)} s`);
  await page.waitForSelector('[data-cy=cipherdose-report]');
  const ends = [sixty[0], sixty[59]].map((file) => readCtSlice(file ?? new Uint8Array(0)));
  for (const end of ends) await expect(volumeSlice(end)).resolves.toBe(await sdkResult(end));
  const middle = readCtSlice(sixty[30] ?? new Uint8Array(0));
  const expected = await sdkResult(middle);
  await expect(volumeSlice(middle)).resolves.toBe(expected);
  await takePicture(page, 'mpr');
  // What changes later is seen in the reconstruction too.
  await result().locator('input[type=range]').fill('0');
  await expect(volumeSlice(middle)).resolves.toBe(sha256(middle.image.hu));
  await result().locator('input[type=range]').fill('100');
  await expect(volumeSlice(middle)).resolves.toBe(expected);
});

/** SHA-256 of the voxels, in the volume that is reconstructed, of the result of one source slice. */
async function volumeSlice({ imagePosition, image }: CtSlice): Promise<string> {
  const voxels = await page.evaluate(
    ({ z, pixels }) => {
      const { cornerstone } = window as unknown as OhifWindow;
      const ids = cornerstone
        .getRenderingEngines()
        .flatMap((engine) => engine.getViewports())
        .flatMap((viewport) => viewport.getAllVolumeIds?.() ?? []);
      const volume = cornerstone.cache.getVolume(ids[0] as string);
      const { metaData } = cornerstone as unknown as {
        metaData: { get(type: string, id: string): { ImagePositionPatient: number[] } };
      };
      const at = volume.imageIds.findIndex(
        (id) => id.startsWith('cipherdose:') && metaData.get('instance', id).ImagePositionPatient[2] === z,
      );
      const all = volume.voxelManager.getCompleteScalarDataArray();
      return Array.from({ length: pixels }, (_pixel, index) => all[at * pixels + index] as number);
    },
    { z: imagePosition?.[2] ?? 0, pixels: image.hu.length },
  );
  return sha256(Int16Array.from(voxels));
}

test('Enhanced multi-frame CT is refused with a reason', async () => {
  const { studyUid } = readEnhanced(sampleFile('legacy-enhanced'));
  await session.show(studyUid);
  await waitForText(page, 'cipherdose-series', 'Multi-frame CT cannot be denoised');
});

/** Study UID of a file that is no CT slice. */
function readEnhanced(file: Uint8Array): { studyUid: string } {
  const tag = Buffer.from([0x20, 0x00, 0x0d, 0x00, 0x55, 0x49]);
  const at = Buffer.from(file).indexOf(tag);
  const length = file[at + 6] as number;
  const text = Buffer.from(file.subarray(at + 8, at + 8 + length)).toString('latin1');
  return { studyUid: text.replace(/[\0 ]+$/, '') };
}

test('a compressed slice is decoded and denoised to the bits of the SDK, and saved uncompressed', async () => {
  const plain = readCtSlice(sampleFile('implicit'));
  await session.show(plain.studyInstanceUid);
  await waitForText(page, 'cipherdose-series', '1 slice');
  await denoiseAll(1);
  const digest = await page.evaluate(async () => {
    const { cornerstone } = window as unknown as {
      cornerstone: {
        getRenderingEngines(): {
          getViewports(): {
            getCurrentImageId(): string;
            getImageData(): { imageData: { getPointData(): { getScalars(): { getData(): Int16Array } } } };
          }[];
        }[];
      };
    };
    const shown = cornerstone
      .getRenderingEngines()
      .flatMap((engine) => engine.getViewports())
      .find((viewport) => viewport.getCurrentImageId()?.startsWith('cipherdose:'));
    const pixels = shown?.getImageData().imageData.getPointData().getScalars().getData() ?? [];
    const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', Int16Array.from(pixels)));
    return [...hash].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  });
  expect(digest).toBe(await sdkResult(plain));
  await page.click('[data-cy=cipherdose-save]');
  await page.click('[data-cy=cipherdose-save-now]');
  await waitForText(page, 'cipherdose-result', 'Saved.');
  const stored = await derivedFiles(session.viewer.origin, plain.studyInstanceUid);
  expect(stored.length).toBe(1);
  const [saved] = stored.map(readCtSlice);
  expect(saved && sha256(saved.image.hu)).toBe(digest);
  expect(saved?.imagePosition).toEqual(plain.imagePosition);
  // What the source itself lacks, its derivation cannot have.
  const before = judge([sampleFile('implicit')]);
  expect(judge(stored).filter((error) => !before.includes(error))).toEqual([]);
});
