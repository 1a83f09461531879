import type { FastifyInstance } from 'fastify';
import fp from 'fastify-plugin';

/**
 * Deals with what a client still sends after it was refused. Closing at once would reset the connection, and a client
 * in the middle of its upload would never see the answer; so the rest is thrown away for a short while, and then the
 * connection is cut.
 */
export const unreadBodies = fp(
  (app: FastifyInstance, { lingerMs = 2000 }: { readonly lingerMs?: number }) => {
    app.addHook('onRequest', async (request, reply) => {
      const { raw } = request;
      reply.raw.once('finish', () => {
        if (raw.complete || raw.destroyed) return;
        const timer = setTimeout(() => raw.destroy(), lingerMs).unref();
        raw.once('end', () => clearTimeout(timer)).once('close', () => clearTimeout(timer));
        raw.resume();
      });
    });
  },
  { name: 'unread-bodies' },
);
