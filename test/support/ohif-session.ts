import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { isDenoised, readCtSlice } from '@cipherdose/sdk/dicom';
import { requireDebian } from './debian-packages.ts';
import { openStudy, startViewer } from './ohif-viewer.ts';
import type { ServedPage } from './served-page.ts';

const project = new URL('../../', import.meta.url);

/** A viewer that was started for a test, and one page that shows a study of it. */
export interface OhifSession {
  readonly viewer: ServedPage;
  readonly context: BrowserContext;
  readonly page: Page;
  /** Shows another study, in the same mode, and waits until the server is connected. */
  show(studyUid: string): Promise<void>;
  close(): Promise<void>;
}

/** @param prepare is called before the page is opened */
export async function startSession(
  browser: Browser,
  options: {
    readonly version: string;
    readonly hostUrl: string;
    readonly settings: object;
    /** `orthanc`, `embedded` or the address of one that runs; default: orthanc. */
    readonly archive?: string;
    readonly prepare?: (viewer: ServedPage, page: Page) => Promise<void> | void;
    readonly studyUid?: string;
    /** What the panel says once it is ready; default: that the server is connected. */
    readonly ready?: string;
  },
): Promise<OhifSession> {
  const { version, hostUrl, settings, archive, prepare, studyUid, ready } = options;
  const viewer = await startViewer(version, hostUrl, settings, archive);
  const context = await browser.newContext({
    viewport: { width: 1400, height: 850 },
    acceptDownloads: true,
  });
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  await prepare?.(viewer, page);
  const address = (uid: string): string => `${viewer.origin}/cipherdose?StudyInstanceUIDs=${uid}`;
  await openStudy(page, studyUid === undefined ? viewer.url : address(studyUid), ready);
  return {
    ...{ viewer, context, page },
    show: (uid) => openStudy(page, address(uid)),
    async close() {
      await context.close();
      await viewer.stop();
    },
  };
}

/** Keeps a picture; those of the documentation are replaced only if asked for. */
export async function takePicture(page: Page, name: string): Promise<void> {
  const folder = process.env['CIPHERDOSE_PICTURES'] === '1' ? 'docs/images/' : 'out/';
  mkdirSync(new URL(folder, project), { recursive: true });
  writeFileSync(new URL(`${folder}ohif-${name}.png`, project), await page.screenshot());
}

/** A measurement, for whoever reads the log. */
export const note = (text: string): boolean => process.stdout.write(`OHIF: ${text}\n`);

export const pause = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Stores DICOM files by STOW-RS, as a modality would. @param origin of the viewer, which passes it on */
export async function storeFiles(origin: string, files: readonly Uint8Array[]): Promise<void> {
  const boundary = 'cipherdose-test';
  const most = 200;
  for (let from = 0; from < files.length; from += most) {
    const parts = files
      .slice(from, from + most)
      .flatMap((file) => [
        `--${boundary}\r\nContent-Type: application/dicom\r\n\r\n`,
        new Uint8Array(file),
        '\r\n',
      ]);
    const response = await fetch(`${origin}/dicom-web/studies`, {
      method: 'POST',
      headers: {
        'content-type': `multipart/related; type="application/dicom"; boundary=${boundary}`,
        accept: 'application/dicom+json',
      },
      body: new Blob([...parts, `--${boundary}--\r\n`]),
    });
    if (!response.ok) throw new Error(`the archive does not take the files: ${response.status}`);
  }
}

/** The archive in memory of the viewer example, in this process. */
export async function startEmbeddedArchive(): Promise<{ readonly url: string; close(): Promise<void> }> {
  const program = new URL('examples/dist/ohif-viewer/embedded-archive.js', project).href;
  const module = (await import(program)) as { startEmbeddedArchive: typeof startEmbeddedArchive };
  return module.startEmbeddedArchive();
}

const atOnce = 16;

/** The derived objects that the archive holds, as it holds them. @param study to look at, of an archive with many files */
export async function derivedFiles(origin: string, study?: string): Promise<readonly Uint8Array[]> {
  const get = async (path: string): Promise<Response> => {
    const response = await fetch(`${origin}${path}`, {
      headers: { accept: 'application/dicom+json' },
    });
    if (!response.ok) throw new Error(`${path}: ${response.status}`);
    return response;
  };
  type Found = readonly Record<string, { readonly Value?: readonly string[] } | undefined>[];
  const within = study === undefined ? '' : `&StudyInstanceUID=${study}`;
  const query = `/dicom-web/instances?includefield=0020000D,0020000E${within}`;
  const found = (await (await get(query)).json()) as Found;
  const fileOf = async (instance: Found[number]): Promise<Uint8Array> => {
    const [studyUid, seriesUid, sopUid] = ['0020000D', '0020000E', '00080018'].map(
      (tag) => instance[tag]?.Value?.[0],
    );
    const object = `studyUID=${studyUid}&seriesUID=${seriesUid}&objectUID=${sopUid}`;
    const file = await get(`/wado?requestType=WADO&${object}&contentType=application/dicom`);
    return new Uint8Array(await file.arrayBuffer());
  };
  // There may be more than a thousand, and all of them at once are too many for an archive.
  const derived: Uint8Array[] = [];
  for (let from = 0; from < found.length; from += atOnce) {
    const files = await Promise.all(found.slice(from, from + atOnce).map(fileOf));
    derived.push(...files.filter(isDerived));
  }
  return derived;
}

/** Not every object in the archive is a CT slice. */
function isDerived(file: Uint8Array): boolean {
  try {
    return isDenoised(readCtSlice(file));
  } catch {
    return false;
  }
}

/** @returns what dciodvfy finds wrong */
export function judge(files: readonly Uint8Array[]): readonly string[] {
  requireDebian(['dicom3tools']);
  const folder = mkdtempSync(join(tmpdir(), 'cipherdose-ohif-'));
  try {
    return files.flatMap((file, index) => {
      const path = join(folder, `${index}.dcm`);
      writeFileSync(path, file);
      const { stderr } = spawnSync('dciodvfy', [path], { encoding: 'utf8' });
      return stderr.split('\n').filter((line) => line.startsWith('Error'));
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
