import rateLimit from '@fastify/rate-limit';
import type { FastifyInstance } from 'fastify';
import fp from 'fastify-plugin';
import { DenoiseError } from '@cipherdose/sdk/errors';
import type { HostConfig } from '../config.ts';
import type { ApiKeys } from '../keys/key-ring.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Id of the API key that the request came with. */
    caller: string | undefined;
  }
  interface FastifyContextConfig {
    /** The route answers without an API key. */
    public?: boolean;
    /** The route is for load balancers: neither counted nor refused while the host closes. */
    probe?: boolean;
  }
}

export interface SecurityOptions {
  /** Undefined: everybody may ask. */
  readonly keys: ApiKeys | undefined;
  readonly rateLimit: HostConfig['rateLimit'];
}

/**
 * API keys as bearer tokens, and a rate limit for each key. A request without a good key counts for its address, before
 * it is refused.
 */
export const security = fp(
  async (app: FastifyInstance, { keys, rateLimit: { max, perSeconds } }: SecurityOptions) => {
    app.decorateRequest('caller', undefined);
    app.addHook('onRequest', async (request) => {
      const token = bearerToken(request.headers.authorization);
      if (keys && token !== undefined) request.caller = (await keys.identify(token))?.id;
    });

    await app.register(rateLimit, {
      max,
      timeWindow: perSeconds * 1000,
      keyGenerator: (request) => request.caller ?? request.ip,
      allowList: (request) => request.routeOptions.config.probe === true,
      errorResponseBuilder: (_request, { ttl }) =>
        new DenoiseError('RATE_LIMITED', { retryAfterSeconds: Math.ceil(ttl / 1000) }),
    });

    // Runs after the rate limit and before anything of a body is read.
    app.addHook('preParsing', async (request) => {
      if (!keys || request.is404 || request.routeOptions.config.public === true) return;
      if (request.caller === undefined) throw new DenoiseError('UNAUTHENTICATED');
    });
  },
  { name: 'security', dependencies: ['errors'] },
);

const bearerToken = (header: string | undefined): string | undefined =>
  /^Bearer +(\S+) *$/i.exec(header ?? '')?.[1];
