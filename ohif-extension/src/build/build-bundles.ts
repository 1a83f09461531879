import { build } from 'esbuild';
import { readFileSync } from 'node:fs';
import { copyFile, mkdir } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const compiled = dirname(dirname(fileURLToPath(import.meta.url)));
const sealModule = 'seal_allows';

/** Where {@link buildBundles} writes: all files belong into one folder of the web server. */
export const bundlesFolder = join(compiled, 'bundles');

/** Bundles what a prebuilt OHIF loads by its address: extension, mode, workers and SEAL. */
export async function buildBundles(): Promise<void> {
  const { version } = JSON.parse(readFileSync(join(compiled, '../package.json'), 'utf8')) as {
    version: string;
  };
  const { metafile } = await build({
    entryPoints: {
      extension: join(compiled, 'extension.js'),
      mode: join(compiled, 'mode.js'),
      'run-worker': join(compiled, 'run-worker.js'),
      'he-worker': join(compiled, 'he-worker.js'),
      'dicom-worker': join(compiled, 'dicom-worker/dicom-worker.js'),
    },
    outdir: bundlesFolder,
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2023',
    legalComments: 'linked',
    define: {
      softwareVersion: JSON.stringify(version),
      'process.env.NODE_ENV': '"production"',
    },
    // node-seal imports it in Node only.
    external: ['module'],
    metafile: true,
    logLevel: 'warning',
  });
  const loader = Object.keys(metafile.inputs).find((input) => basename(input) === `${sealModule}.js`);
  if (loader === undefined) throw new Error('the worker does not contain node-seal');
  await mkdir(bundlesFolder, { recursive: true });
  await copyFile(
    join(dirname(resolve(loader)), `${sealModule}.wasm`),
    join(bundlesFolder, `${sealModule}.wasm`),
  );
}
