import { build } from 'esbuild';
import { readFileSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
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
  const { metafile, outputFiles } = await build({
    entryPoints: {
      extension: join(compiled, 'extension.js'),
      mode: join(compiled, 'mode.js'),
      'run-worker': join(compiled, 'run-worker.js'),
      'he-worker': join(compiled, 'he-worker.js'),
      'dicom-worker': join(compiled, 'dicom-worker/dicom-worker.js'),
    },
    outdir: bundlesFolder,
    bundle: true,
    // The decoders of compressed slices are loaded when they are needed.
    splitting: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2023',
    legalComments: 'linked',
    define: {
      softwareVersion: JSON.stringify(version),
      'process.env.NODE_ENV': '"production"',
    },
    // Imported in Node only, by node-seal and the decoders.
    external: ['module', 'fs', 'path'],
    metafile: true,
    write: false,
    logLevel: 'warning',
  });
  const loader = Object.keys(metafile.inputs).find((input) => basename(input) === `${sealModule}.js`);
  if (loader === undefined) throw new Error('the worker does not contain node-seal');
  await mkdir(bundlesFolder, { recursive: true });
  const wasm = `${sealModule}.wasm`;
  await replace(join(bundlesFolder, wasm), await readFile(join(dirname(resolve(loader)), wasm)));
  for (const { path, contents } of outputFiles) await replace(path, contents);
}

/** A viewer that runs may be reading these files: one that is the same stays, one that is not changes at once. */
async function replace(path: string, contents: Uint8Array): Promise<void> {
  const old = await readFile(path).catch(() => undefined);
  if (old && Buffer.compare(old, contents) === 0) return;
  const part = `${path}.${process.pid}.part`;
  await writeFile(part, contents);
  await rename(part, path);
}
