import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import type { WebSocket } from 'ws';
import { DenoiseError } from '@cipherdose/sdk/errors';
import {
  closeReasonOf,
  privateProtocol,
  privateSessionPath,
  privateTicketRequestSchema,
  privateTicketSchema,
  privateTicketsPath,
  ticketOf,
} from '@cipherdose/sdk/private-session';
import type { HostConfig } from '../config.ts';
import type { ModelSource } from '../model-source.ts';
import type { PrivateConnection, PrivateSocket } from '../private/connection.ts';
import { PrivateService } from '../private/service.ts';
import { failures } from './replies.ts';

export interface PrivateRouteOptions {
  readonly models: ModelSource;
  readonly config: HostConfig;
}

/** Tickets and sessions of private mode. */
export const privateRoutes: FastifyPluginAsyncZod<PrivateRouteOptions> = async (app, { models, config }) => {
  const service = new PrivateService({
    models,
    limits: config.private,
    sessionEnded: ({ caller, model }, facts, cause) => {
      app.metrics.countSession(model.plan.id, facts);
      const line = { caller, model: model.plan.id, ...facts, seconds: Math.round(facts.seconds) };
      app.log.info(line, 'private session');
      if (facts.code === 'INTERNAL') app.log.error({ cause }, 'private session failed');
    },
  });
  app.metrics.watch('cipherdose_private_sessions', 'Sessions of private mode now', () => service.sessions);
  app.metrics.watch(
    'cipherdose_private_resume_bytes',
    'Bytes of shares that are kept for slices that broke off',
    () => service.resumeBytes,
  );
  app.addHook('preClose', () => service.close(config.closeTimeoutMs));

  app.post(
    privateTicketsPath,
    {
      bodyLimit: 4096,
      schema: {
        operationId: 'openPrivateSession',
        summary: `Leave to open one session of private mode at ${privateSessionPath}, a WebSocket, at this host`,
        body: privateTicketRequestSchema,
        response: {
          201: privateTicketSchema.describe(
            `The ticket goes with the subprotocols: ${privateProtocol}, cipherdose.ticket.TICKET`,
          ),
          ...failures,
        },
      },
    },
    async (request, reply) => {
      const ticket = service.giveTicket(request.caller ?? request.ip, request.body);
      return await reply.code(201).header('cache-control', 'no-store').send(ticket);
    },
  );

  app.route({
    method: 'GET',
    url: privateSessionPath,
    config: { public: true },
    // OpenAPI knows no WebSockets; what it knows is told with the ticket.
    schema: { hide: true },
    handler: () => {
      throw new DenoiseError('REQUEST_INVALID', { reason: 'this address takes WebSockets only' });
    },
    wsHandler: (socket, request) => {
      serve(service, socket, request.headers['sec-websocket-protocol']);
    },
  });
};

/** Connects a socket to a session; what is refused is said in the close reason, because browsers see nothing else. */
function serve(service: PrivateService, socket: WebSocket, protocols: string | undefined): void {
  const refuse = (error: DenoiseError): void => {
    const { code, reason } = closeReasonOf(error);
    socket.close(code, reason);
    setTimeout(() => socket.terminate(), 2000).unref();
  };
  socket.binaryType = 'arraybuffer';
  let connection: PrivateConnection;
  try {
    connection = service.connect(socketOf(socket), ticketOf((protocols ?? '').split(/ *, */)));
  } catch (error) {
    refuse(DenoiseError.wrap(error, 'INTERNAL'));
    return;
  }
  socket.on('message', (data, isBinary) => {
    if (isBinary && data instanceof ArrayBuffer) connection.receive(new Uint8Array(data));
    else connection.fail(new DenoiseError('TWO_PARTY_FOREIGN', { part: 'text' }));
  });
  socket.on('close', (code) => {
    if (code === 1000) connection.done();
    else connection.disconnected();
  });
}

function socketOf(socket: WebSocket): PrivateSocket {
  return {
    get bufferedAmount() {
      return socket.bufferedAmount;
    },
    send: (bytes, sent) => socket.send(bytes, () => sent()),
    close: (code, reason) => socket.close(code, reason),
    terminate: () => socket.terminate(),
    pause: () => socket.pause(),
    resume: () => socket.resume(),
  };
}
