import { parseArgs } from 'node:util';
import { startHost } from '@cipherdose/server';
import { buildSite, siteFolder } from './build.ts';
import { serveSite } from './site-server.ts';

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '8090' },
    /** A model host that runs already; without it one is started here. */
    server: { type: 'string' },
  },
});

await buildSite();
const site = await serveSite(siteFolder, Number(values.port));
const host =
  values.server === undefined
    ? await startHost({ open: true, port: 0, corsOrigins: [site.origin], logLevel: 'error' })
    : undefined;
site.setHostUrl(values.server ?? host?.url ?? '');
console.log(`Browser example: ${site.origin}  (Ctrl+C ends it)`);

for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => {
    void Promise.all([site.close(), host?.close()]).then(() => process.exit(0));
  });
