import { fastifySSE } from '@fastify/sse';
import fp from 'fastify-plugin';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import type { BridgeEvents } from '../../events.ts';
import { liveMessages } from '../live-messages.ts';

/** Browsers come back by themselves; then the login is checked again. */
const longestMs = 15 * 60_000;

export const eventRoutes: FastifyPluginAsyncZod<{ readonly events: BridgeEvents }> = async (
  app,
  { events },
) => {
  // Its default export has types that do not fit Node's modules; this one lacks the wrapper.
  await app.register(fp(fastifySSE), { heartbeatInterval: 15_000 });
  const closing = new AbortController();
  app.addHook('preClose', async () => closing.abort());

  app.get('/api/events', { sse: 'only' }, async (_request, reply) => {
    const gone = new AbortController();
    reply.sse.onClose(() => gone.abort());
    const end = AbortSignal.any([gone.signal, closing.signal, AbortSignal.timeout(longestMs)]);
    // Something at once, so that the page knows that it is connected.
    await reply.sse.send({ event: 'hello', data: {}, retry: 2000 });
    await reply.sse.send(liveMessages(events, end));
  });
};
