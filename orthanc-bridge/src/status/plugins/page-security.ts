import helmet from '@fastify/helmet';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import { DenoiseError } from '@cipherdose/sdk/errors';

/** Headers that let the page load nothing but its own files, and no other site use it. */
export const pageSecurity = fp(
  async (app: FastifyInstance, { https }: { readonly https: boolean }) => {
    await app.register(helmet, {
      contentSecurityPolicy: {
        useDefaults: false,
        directives: {
          defaultSrc: ["'none'"],
          scriptSrc: ["'self'"],
          styleSrc: ["'self'"],
          imgSrc: ["'self'"],
          connectSrc: ["'self'"],
          formAction: ["'self'"],
          baseUri: ["'none'"],
          frameAncestors: ["'none'"],
        },
      },
      strictTransportSecurity: https,
      crossOriginResourcePolicy: { policy: 'same-origin' },
      referrerPolicy: { policy: 'no-referrer' },
      xFrameOptions: { action: 'deny' },
    });
    app.addHook('onRequest', async (request, reply) => {
      if (!comesFromHere(request)) throw new DenoiseError('ORIGIN_REFUSED');
      reply.header('cache-control', 'no-store');
    });
  },
  { name: 'page-security', dependencies: ['errors'] },
);

/**
 * Against forged requests of other sites, beside the SameSite cookie: what browsers say about where a request comes
 * from (Fetch Metadata; Origin where there is none, on plain HTTP). Programs that say neither carry no cookie that a
 * site could misuse.
 */
function comesFromHere({ method, headers, host }: FastifyRequest): boolean {
  if (method === 'GET' || method === 'HEAD') return true;
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return site === 'same-origin' || site === 'none';
  const { origin } = headers;
  return origin === undefined || (URL.canParse(origin) && new URL(origin).host === host);
}
