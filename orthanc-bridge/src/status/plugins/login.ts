import cookie from '@fastify/cookie';
import session from '@fastify/session';
import type { FastifyInstance } from 'fastify';
import fp from 'fastify-plugin';
import { randomBytes } from 'node:crypto';
import { DenoiseError } from '@cipherdose/sdk/errors';
import { verifyPassword } from '../passwords.ts';
import type { StatusConfig } from '../status-schema.ts';

declare module 'fastify' {
  interface Session {
    user?: string;
  }
  interface FastifyInstance {
    /** @returns whether there is such a user with this password; takes as long for an unknown one. */
    isUser(name: string, password: string): Promise<boolean>;
  }
  interface FastifyContextConfig {
    /** The route answers without a login. */
    public?: boolean;
  }
  interface FastifyRequest {
    /** Name of who is logged in; empty on public routes. */
    user: string;
  }
}

type LoginOptions = Pick<StatusConfig, 'users' | 'sessionHours'> & { readonly https: boolean };

/**
 * Sessions live in memory: after a restart everybody logs in again. Every route needs a login unless it says that it is
 * public.
 */
export const login = fp(
  async (app: FastifyInstance, { users, sessionHours, https }: LoginOptions) => {
    await app.register(cookie);
    await app.register(session, {
      secret: randomBytes(32).toString('base64url'),
      cookieName: 'cipherdose-bridge',
      saveUninitialized: false,
      rolling: true,
      cookie: {
        path: '/',
        httpOnly: true,
        sameSite: 'strict',
        secure: https,
        maxAge: sessionHours * 3_600_000,
      },
    });
    app.decorate('isUser', (name: string, password: string) => {
      const user = users.find((each) => each.name === name);
      return verifyPassword(password, user?.passwordHash ?? '');
    });
    app.decorateRequest('user', '');
    app.addHook('onRequest', async (request) => {
      if (request.is404 || request.routeOptions.config.public === true) return;
      const { user } = request.session;
      if (user === undefined) throw new DenoiseError('LOGIN_NEEDED');
      request.user = user;
    });
  },
  { name: 'login', dependencies: ['errors'] },
);
