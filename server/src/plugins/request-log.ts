import type { FastifyInstance } from 'fastify';
import fp from 'fastify-plugin';
import { whenRequestEnds } from './request-end.ts';

/** Sends `x-request-id` and logs one line a request: facts only, never an address, a body, a header or a key. */
export const requestLog = fp(
  (app: FastifyInstance) => {
    app.addHook('onRequest', async (request, reply) => {
      reply.header('x-request-id', request.id);
      whenRequestEnds(request, reply, ({ seconds, ...facts }) => {
        const bytesIn = Number(request.headers['content-length'] ?? 0);
        const bytesOut = Number(reply.getHeader('content-length') ?? 0);
        const ms = Math.round(seconds * 1000);
        request.log.info({ ...facts, caller: request.caller, bytesIn, bytesOut, ms }, 'request');
      });
    });
  },
  { name: 'request-log', dependencies: ['errors'] },
);
