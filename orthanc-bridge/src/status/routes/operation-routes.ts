import rateLimit from '@fastify/rate-limit';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { createHash, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { DenoiseError } from '@cipherdose/sdk/errors';
import type { BridgeControls, BridgeState } from '../../bridge.ts';

const health = z.strictObject({ status: z.literal('ok') });
const readiness = z.strictObject({
  status: z.enum(['ready', 'not ready']),
  /** `orthanc:NAME`, `host`, `queue`: whether it answered last time. */
  peers: z.record(z.string(), z.boolean()),
});

/** What Prometheus, load balancers and Orthanc ask. None of it needs a login; none of it is patient data. */
export const operationRoutes: FastifyPluginAsyncZod<{
  readonly bridge: Pick<BridgeState, 'peers' | 'metrics'> & Pick<BridgeControls, 'nudge'>;
  readonly metricsToken: string | undefined;
}> = async (app, { bridge, metricsToken }) => {
  await app.register(rateLimit, {
    max: 600,
    timeWindow: 60_000,
    errorResponseBuilder: () => new DenoiseError('RATE_LIMITED'),
  });
  const config = { public: true } as const;

  app.get(
    '/healthz',
    { config: { ...config, rateLimit: false }, schema: { response: { 200: health } } },
    () => ({
      status: 'ok' as const,
    }),
  );

  app.get(
    '/readyz',
    { config: { ...config, rateLimit: false }, schema: { response: { 200: readiness, 503: readiness } } },
    async (_request, reply) => {
      const peers = bridge.peers();
      const ready = isReady(peers);
      return reply
        .code(ready ? 200 : 503)
        .send({ status: ready ? 'ready' : 'not ready', peers: Object.fromEntries(peers) });
    },
  );

  app.get('/metrics', { config }, async (request, reply) => {
    if (metricsToken !== undefined && !isToken(request.headers.authorization, metricsToken))
      throw new DenoiseError('UNAUTHENTICATED');
    return reply.type(bridge.metrics.contentType).send(await bridge.metrics.metrics());
  });

  app.post('/hooks/orthanc', { config }, async (_request, reply) => {
    bridge.nudge();
    return reply.code(204).send();
  });
};

/** A bridge can work when its queue, its model host and at least one Orthanc answer. */
export function isReady(peers: ReadonlyMap<string, boolean>): boolean {
  const orthanc = [...peers].some(([name, reachable]) => name.startsWith('orthanc:') && reachable);
  return orthanc && peers.get('host') === true && peers.get('queue') === true;
}

/** Digests have one length, and comparing them takes the same time whatever they are. */
function isToken(header: string | undefined, token: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(header ?? ''), digest(`Bearer ${token}`));
}
