import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { BridgeControls, BridgeState } from '../../bridge.ts';
import { freeMegabytes } from '../../disk-space.ts';
import { packageVersion } from '../../package-version.ts';
import { lastEntries } from '../last-entries.ts';
import { auditSchema, historySchema, overviewSchema, viewJob } from '../views.ts';

export interface BridgeRouteOptions {
  readonly bridge: BridgeState & Pick<BridgeControls, 'pause' | 'resume'>;
  readonly dataFolder: string;
  readonly auditFile: string;
  readonly watermarkMegabytes: number;
  readonly orthancs: readonly string[];
  readonly viewers: readonly string[];
  readonly shows: { readonly patientNames: boolean; readonly images: boolean };
}

/** Lengths of the columns for each stretch that can be asked for. */
const columns = { 24: 60, 168: 360, 720: 1440 } as const;
const historyQuery = z.object({ hours: z.enum(['24', '168', '720']).default('24') });
const auditQuery = z.object({ limit: z.coerce.number().int().min(1).max(500).default(100) });

export const bridgeRoutes: FastifyPluginAsyncZod<BridgeRouteOptions> = async (app, options) => {
  const { bridge, dataFolder, auditFile, watermarkMegabytes, orthancs, viewers, shows } = options;

  app.get('/api/overview', { schema: { response: { 200: overviewSchema } } }, async (request) => {
    const [counts, free, running, queued, ended, done] = await Promise.all([
      bridge.counts(),
      freeMegabytes(dataFolder),
      bridge.jobs({ states: ['running'], limit: 100 }),
      bridge.jobs({ states: ['queued'], limit: 100 }),
      bridge.jobs({ states: ['failed', 'quarantined'], limit: 50 }),
      bridge.jobs({ states: ['done'], limit: 24 }),
    ]);
    return {
      ...{ bridge: bridge.name, version: packageVersion, user: request.user, paused: bridge.paused, counts },
      peers: [...bridge.peers()].map(([name, reachable]) => ({ name, reachable })),
      disk: { freeMegabytes: free, watermarkMegabytes },
      ...{ shows, viewers: [...viewers], orthancs: [...orthancs] },
      jobs: [running, queued, ended, done].flat().map((job) => viewJob(job, bridge.progress().get(job.id))),
    };
  });

  app.get(
    '/api/history',
    { schema: { querystring: historyQuery, response: { 200: historySchema } } },
    async (request) => {
      const hours = Number(request.query.hours) as keyof typeof columns;
      const bucketMinutes = columns[hours];
      const buckets = await bridge.history(hours, bucketMinutes);
      return {
        bucketMinutes,
        buckets: buckets.map((each) => ({ ...each, start: each.start.toISOString() })),
      };
    },
  );

  app.get(
    '/api/audit',
    { schema: { querystring: auditQuery, response: { 200: auditSchema } } },
    async (request) => ({ entries: await lastEntries(auditFile, request.query.limit) }),
  );

  app.post('/api/pause', async (request, reply) => {
    await bridge.pause(request.user);
    return reply.code(204).send();
  });

  app.post('/api/resume', async (request, reply) => {
    await bridge.resume(request.user);
    return reply.code(204).send();
  });
};
