import { fastify, type FastifyInstance } from 'fastify';
import { serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod';
import { readFile } from 'node:fs/promises';
import type { AuditTrail } from '../audit/audit-trail.ts';
import { DenoiseError } from '@cipherdose/sdk/errors';
import type { BridgeControls, BridgeState } from '../bridge.ts';
import type { BridgeConfig } from '../config/config-schema.ts';
import type { BridgeEvents } from '../events.ts';
import type { Log } from '../log.ts';
import type { OrthancClient } from '../orthanc/orthanc-client.ts';
import type { SliceReader } from '../pixels/slice-reader.ts';
import { errors } from './plugins/errors.ts';
import { login } from './plugins/login.ts';
import { pageFiles } from './plugins/page-files.ts';
import { pageSecurity } from './plugins/page-security.ts';
import { bridgeRoutes } from './routes/bridge-routes.ts';
import { eventRoutes } from './routes/event-routes.ts';
import { operationRoutes } from './routes/operation-routes.ts';
import { ruleRoutes } from './routes/rule-routes.ts';
import { seriesRoutes } from './routes/series-routes.ts';
import { sessionRoutes } from './routes/session-routes.ts';
import { RuleTrial } from './rule-trial.ts';
import { SeriesImages } from './series-images.ts';
import type { StatusConfig } from './status-schema.ts';

/** What the status page is made of. Whoever made the parts also closes them. */
export interface StatusParts {
  readonly config: BridgeConfig & { readonly status: StatusConfig };
  readonly bridge: BridgeState & BridgeControls & { readonly events: BridgeEvents };
  readonly orthancs: ReadonlyMap<string, OrthancClient>;
  readonly reader: Pick<SliceReader, 'read'>;
  readonly audit: Pick<AuditTrail, 'append'>;
  readonly auditFile: string;
  readonly log: Log;
  readonly now: () => Date;
}

const bodyLimit = 200_000;

/** Builds the page without listening: `app.inject()` works, and so does `app.listen()`. @throws FILE_UNREADABLE */
export async function buildStatusApp(parts: StatusParts): Promise<FastifyInstance> {
  const { config, bridge, orthancs, reader, audit, auditFile, log, now } = parts;
  const { status } = config;
  const https = status.tls !== undefined || status.behindProxy;
  const options = { bodyLimit, trustProxy: status.behindProxy, forceCloseConnections: true };
  const tls = status.tls && (await readTls(status.tls));
  const app = (tls ? fastify({ ...options, https: tls }) : fastify(options)) as FastifyInstance;
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  bridge.events.setMaxListeners(0);

  await app.register(errors, { log });
  await app.register(pageSecurity, { https });
  await app.register(login, { ...status, https });
  await app.register(pageFiles);
  await app.register(operationRoutes, { bridge, metricsToken: status.metricsToken });
  const names = new Set(status.users.map(({ name }) => name));
  await app.register(sessionRoutes, { audit, isKnownName: (name) => names.has(name), https });

  const viewers = new Map(
    config.orthancs.flatMap(({ name, viewerUrl }) =>
      viewerUrl === undefined ? [] : [[name, viewerUrl] as const],
    ),
  );
  await app.register(bridgeRoutes, {
    ...{ bridge, auditFile, dataFolder: config.dataFolder },
    watermarkMegabytes: config.limits.diskFreeMegabytes,
    orthancs: [...orthancs.keys()],
    viewers: [...viewers.keys()],
    shows: { patientNames: status.showPatientNames, images: status.showImages },
  });
  const images = status.showImages
    ? new SeriesImages({ orthancs, reader, window: status.window })
    : undefined;
  const { showPatientNames } = status;
  await app.register(seriesRoutes, { bridge, orthancs, images, showPatientNames, viewers, audit });
  const trial = new RuleTrial(orthancs, now);
  app.addHook('onClose', () => trial.close());
  await app.register(ruleRoutes, { rules: config.rules, trial });
  await app.register(eventRoutes, { events: bridge.events });
  return app;
}

async function readTls(files: { certFile: string; keyFile: string }): Promise<{ cert: Buffer; key: Buffer }> {
  const read = (file: string): Promise<Buffer> =>
    readFile(file).catch((cause: unknown) => {
      throw new DenoiseError('FILE_UNREADABLE', { file }, { cause });
    });
  return { cert: await read(files.certFile), key: await read(files.keyFile) };
}
