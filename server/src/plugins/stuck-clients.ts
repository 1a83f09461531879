import type { FastifyInstance } from 'fastify';
import fp from 'fastify-plugin';

export interface StuckClientOptions {
  /** Longest time that a client may take to fetch its answer. */
  readonly bodyTimeoutMs: number;
  /** How long the rest of a refused request is taken and thrown away. */
  readonly lingerMs?: number;
}

/**
 * Cuts connections that hold the host up: clients that do not fetch their answer, and clients that go on sending what
 * was refused. The latter get a short while: closing at once would reset the connection, and a client in the middle of
 * its upload would never see the answer.
 */
export const stuckClients = fp(
  (app: FastifyInstance, { bodyTimeoutMs, lingerMs = 2000 }: StuckClientOptions) => {
    app.addHook('onSend', async (_request, reply) => {
      const timer = setTimeout(() => reply.raw.destroy(), bodyTimeoutMs).unref();
      reply.raw.once('close', () => clearTimeout(timer));
    });
    app.addHook('onRequest', async ({ raw }, reply) => {
      reply.raw.once('finish', () => {
        if (raw.complete || raw.destroyed) return;
        const timer = setTimeout(() => raw.destroy(), lingerMs).unref();
        raw.once('end', () => clearTimeout(timer)).once('close', () => clearTimeout(timer));
        raw.resume();
      });
    });
  },
  { name: 'stuck-clients' },
);
