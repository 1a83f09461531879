import rateLimit from '@fastify/rate-limit';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { DenoiseError } from '@cipherdose/sdk/errors';
import type { AuditTrail } from '../../audit/audit-trail.ts';

/** Tries of one address a minute: a password is slow to guess, and slow to check. */
const triesPerMinute = 10;

const credentials = z.strictObject({ name: z.string().max(64), password: z.string().max(1024) });

export const sessionRoutes: FastifyPluginAsyncZod<{
  readonly audit: Pick<AuditTrail, 'append'>;
  readonly isKnownName: (name: string) => boolean;
  readonly https: boolean;
}> = async (app, { audit, isKnownName, https }) => {
  await app.register(rateLimit, {
    max: triesPerMinute,
    timeWindow: 60_000,
    errorResponseBuilder: () => new DenoiseError('RATE_LIMITED'),
  });

  app.post(
    '/api/login',
    { config: { public: true }, schema: { body: credentials } },
    async (request, reply) => {
      // The cookie would be left out without a word.
      if (https && request.protocol !== 'https')
        throw new DenoiseError('CONFIG_INVALID', {
          field: 'status.behindProxy',
          reason: 'the proxy does not say x-forwarded-proto: https',
        });
      const { name, password } = request.body;
      if (!(await app.isUser(name, password))) {
        // People type passwords into the field for the name: only names that exist are written down.
        await audit.append({ event: 'login-refused', who: isKnownName(name) ? name : 'unknown name' });
        throw new DenoiseError('LOGIN_REFUSED');
      }
      // A new session id: one that somebody planted before is worth nothing.
      await request.session.regenerate();
      request.session.user = name;
      await audit.append({ event: 'logged-in', who: name });
      return reply.code(204).send();
    },
  );

  app.post('/api/logout', { config: { rateLimit: false } }, async (request, reply) => {
    await request.session.destroy();
    return reply.code(204).send();
  });
};
