import { spawnSync } from 'node:child_process';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { buildBundles, bundlesFolder } from '@cipherdose/ohif-extension/build';
import { readCtSlice } from '@cipherdose/sdk/dicom';
import { startHost } from '@cipherdose/server';
import { appConfig } from './app-config.ts';
import { startEmbeddedArchive } from './embedded-archive.ts';
import { isOrthancInstalled, startOrthanc } from './orthanc.ts';
import { checkBase } from './sub-path.ts';
import { serveViewer } from './viewer-server.ts';

// npm run viewer: an archive with the sample series, a model host, and a real OHIF with the extension.
const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '8095' },
    /** Version of OHIF; tools/ohif-versions.json lists those that are tested. */
    ohif: { type: 'string', default: '3.13.2' },
    /** Path of the viewer, for a reverse proxy that serves other things too. */
    base: { type: 'string', default: '/' },
    /** A model host that runs already, or its path on the viewer's origin; without it one is started here. */
    server: { type: 'string' },
    /**
     * A DICOMweb archive that runs already, for example `http://127.0.0.1:8042`; `orthanc` or `embedded` starts one here.
     * Without it: Orthanc if it is installed, else the embedded one, which keeps nothing.
     */
    archive: { type: 'string' },
    /** More of `window.config.cipherDose`, as JSON. */
    settings: { type: 'string', default: '{}' },
    /** Isolate the page (COOP and COEP). */
    isolated: { type: 'boolean', default: false },
  },
});

const project = fileURLToPath(new URL('../../..', import.meta.url));
const ohif = `${project}.cache/ohif/${values.ohif}`;
if (!existsSync(`${ohif}/index.html`)) {
  const fetcher = `${project}tools/fetch-ohif.mjs`;
  const { status } = spawnSync(process.execPath, [fetcher, values.ohif], { stdio: 'inherit' });
  if (status !== 0) process.exit(1);
}
await buildBundles();

const kind = values.archive ?? (isOrthancInstalled() ? 'orthanc' : 'embedded');
const own =
  kind === 'orthanc' ? await startOrthanc() : kind === 'embedded' ? await startEmbeddedArchive() : undefined;
const samples = globSync(`${project}examples/sample-series/low-dose/*.dcm`).map(
  (file) => new Uint8Array(readFileSync(file)),
);
for (const file of samples) await own?.upload(file);

const base = checkBase(values.base);
let hostUrl = values.server ?? '';
const viewer = await serveViewer({
  ohif,
  base,
  bundles: bundlesFolder,
  archiveUrl: own?.url ?? kind,
  appConfig: () =>
    appConfig({
      base,
      serverUrl: hostUrl,
      archiveName: own?.name ?? 'Archive',
      cipherDose: JSON.parse(values.settings) as Record<string, unknown>,
    }),
  hostUrl: () => hostUrl,
  isolated: values.isolated,
  port: Number(values.port),
});
const host =
  values.server === undefined
    ? await startHost({ open: true, port: 0, corsOrigins: [viewer.origin], logLevel: 'error' })
    : undefined;
hostUrl = values.server ?? host?.url ?? '';
const study = own && samples[0] ? readCtSlice(samples[0]).studyInstanceUid : undefined;
const path = study === undefined ? '' : `cipherdose?StudyInstanceUIDs=${study}`;
console.log(
  `OHIF ${values.ohif}: ${viewer.origin}${base}${path}  (archive: ${own?.name ?? kind}; Ctrl+C ends it)`,
);

for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => {
    void Promise.all([viewer.close(), host?.close(), own?.close()]).then(() => process.exit(0));
  });
