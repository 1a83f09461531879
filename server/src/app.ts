import cors from '@fastify/cors';
import { fastify, LogController, type FastifyInstance } from 'fastify';
import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { DenoiseError } from '@cipherdose/sdk/errors';
import type { HostConfig } from './config.ts';
import { answerBrokenRequest, createHttpServer, type TlsMaterial } from './http-server.ts';
import type { ApiKeys } from './keys/key-ring.ts';
import type { FrameEvaluator, ModelSource } from './model-source.ts';
import { admission } from './plugins/admission.ts';
import { closing } from './plugins/closing.ts';
import { answerWithError, errors } from './plugins/errors.ts';
import { metrics } from './plugins/metrics.ts';
import { openapi } from './plugins/openapi.ts';
import { requestLog } from './plugins/request-log.ts';
import { security } from './plugins/security.ts';
import { stuckClients } from './plugins/stuck-clients.ts';
import { websockets } from './plugins/websockets.ts';
import { layerRoutes } from './routes/layers.ts';
import { modelRoutes } from './routes/models.ts';
import { operationRoutes } from './routes/operations.ts';
import { privateRoutes } from './routes/private.ts';

/** What a model host is made of. Whoever made the parts also closes them. */
export interface HostParts {
  readonly config: HostConfig;
  readonly models: ModelSource;
  readonly evaluator: FrameEvaluator;
  /** Undefined: everybody may ask. */
  readonly keys?: ApiKeys | undefined;
  readonly tls?: TlsMaterial | undefined;
}

/** Builds the host without listening: `app.inject()` works, and so does `app.listen()`. */
export async function buildApp({
  config,
  models,
  evaluator,
  keys,
  tls,
}: HostParts): Promise<FastifyInstance> {
  const app: FastifyInstance = fastify({
    serverFactory: (listener) => createHttpServer(listener, config, tls),
    clientErrorHandler: answerBrokenRequest,
    frameworkErrors: (error, request, reply) => void answerWithError(error, request, reply),
    return503OnClosing: false,
    trustProxy: config.trustProxy,
    genReqId: requestId,
    logger: { level: config.logLevel },
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'requestId' }),
  });

  await app.register(errors);
  await app.register(requestLog);
  await app.register(stuckClients, config);
  await app.register(admission, config);
  await app.register(metrics, { pending: () => evaluator.pending });
  if (config.corsOrigins.length > 0)
    await app.register(cors, {
      origin: config.corsOrigins.includes('*') ? '*' : config.corsOrigins,
      methods: ['GET', 'POST'],
      allowedHeaders: ['authorization', 'content-type', 'x-request-id'],
      exposedHeaders: ['retry-after', 'x-request-id'],
      maxAge: 600,
    });
  await app.register(closing, config);
  await app.register(security, { keys, rateLimit: config.rateLimit });
  await app.register(websockets);
  await app.register(openapi, { needsKey: keys !== undefined });

  app.setNotFoundHandler({ preHandler: app.rateLimit() }, () => {
    throw new DenoiseError('ROUTE_UNKNOWN');
  });
  await app.register(operationRoutes, { models });
  await app.register(modelRoutes, { models });
  await app.register(layerRoutes, { models, evaluator, config });
  await app.register(privateRoutes, { models, config });
  return app;
}

/** Keeps the id that a proxy or client gave, if it can do no harm in a log. */
function requestId(request: IncomingMessage): string {
  const given = request.headers['x-request-id'];
  return typeof given === 'string' && /^[\w.-]{1,64}$/.test(given) ? given : randomUUID();
}
