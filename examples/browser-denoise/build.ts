import { build } from 'esbuild';
import { readFileSync } from 'node:fs';
import { copyFile, mkdir } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const compiled = dirname(fileURLToPath(import.meta.url));
const sources = resolve(compiled, '../../browser-denoise');
const sampleSlice = resolve(compiled, '../../sample-series/low-dose/006.dcm');
const sealModule = 'seal_allows';

/** Where {@link buildSite} writes. */
export const siteFolder = join(compiled, 'site');

/** Bundles the page and its workers and puts everything that they load beside them. */
export async function buildSite(): Promise<void> {
  const { version } = JSON.parse(
    readFileSync(new URL(import.meta.resolve('@cipherdose/sdk/package.json')), 'utf8'),
  ) as { version: string };
  const { metafile } = await build({
    entryPoints: {
      main: join(compiled, 'main.js'),
      'dicom-worker': join(compiled, 'dicom-worker.js'),
      'he-worker': fileURLToPath(import.meta.resolve('@cipherdose/sdk/worker')),
    },
    outdir: siteFolder,
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2023',
    legalComments: 'none',
    define: { softwareVersion: JSON.stringify(version) },
    // node-seal imports it in Node only.
    external: ['module'],
    metafile: true,
    logLevel: 'warning',
  });
  const loader = Object.keys(metafile.inputs).find((input) => basename(input) === `${sealModule}.js`);
  if (loader === undefined) throw new Error('the worker does not contain node-seal');
  await mkdir(siteFolder, { recursive: true });
  await Promise.all([
    copyFile(join(dirname(resolve(loader)), `${sealModule}.wasm`), join(siteFolder, `${sealModule}.wasm`)),
    copyFile(sampleSlice, join(siteFolder, 'sample.dcm')),
    ...['index.html', 'style.css', 'icon.svg'].map((name) =>
      copyFile(join(sources, name), join(siteFolder, name)),
    ),
  ]);
}
