import websocket from '@fastify/websocket';
import type { FastifyInstance } from 'fastify';
import fp from 'fastify-plugin';
import { largestPrivateMessageBytes, privateProtocol } from '@cipherdose/sdk/private-session';

/** WebSockets; only private mode has any, and closes its own. */
export const websockets = fp(
  async (app: FastifyInstance) => {
    await app.register(websocket, {
      options: {
        maxPayload: largestPrivateMessageBytes,
        perMessageDeflate: false,
        clientTracking: false,
        // Browsers want one of the names they offered; the ticket, which is among them, is no name.
        handleProtocols: (offered) => (offered.has(privateProtocol) ? privateProtocol : false),
      },
      // Broken connections are nothing that the host did, and tell by 'close' too.
      errorHandler: (_error, socket) => socket.terminate(),
      preClose: (done) => done(),
    });
  },
  { name: 'websockets' },
);
