import type { FastifyInstance } from 'fastify';
import fp from 'fastify-plugin';
import { DenoiseError } from '@cipherdose/sdk/errors';

declare module 'fastify' {
  interface FastifyInstance {
    /** True from the moment that the host was told to close. */
    isClosing(): boolean;
  }
}

/** A closing host finishes what runs, refuses what comes on open connections, and cuts what takes too long. */
export const closing = fp(
  (app: FastifyInstance, { closeTimeoutMs }: { readonly closeTimeoutMs: number }) => {
    let isClosing = false;
    app.decorate('isClosing', () => isClosing);
    app.addHook('preClose', async () => {
      isClosing = true;
      const timer = setTimeout(() => app.server.closeAllConnections(), closeTimeoutMs);
      app.server.once('close', () => clearTimeout(timer));
      timer.unref();
    });
    app.addHook('onRequest', async (request) => {
      if (isClosing && request.routeOptions.config.probe !== true) throw new DenoiseError('HOST_CLOSING');
    });
    // Else a connection would be kept for the next request and hold up the end.
    app.addHook('onSend', async (_request, reply) => {
      if (isClosing) reply.header('connection', 'close');
    });
  },
  { name: 'closing', dependencies: ['errors'] },
);
