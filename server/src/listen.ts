import type { FastifyInstance } from 'fastify';
import type { AddressInfo } from 'node:net';
import { DenoiseError } from '@cipherdose/sdk/errors';
import { buildApp, type HostParts } from './app.ts';

/** A model host that takes requests. */
export interface RunningHost {
  /** For example `http://127.0.0.1:8080`. */
  readonly url: string;
  readonly app: FastifyInstance;
  /** Refuses new requests, finishes what runs, then frees threads and memory. May be called twice. */
  close(): Promise<void>;
}

/**
 * Builds the app and listens.
 * @throws CONFIG_INVALID if the address cannot be had
 */
export async function listen(parts: HostParts): Promise<RunningHost> {
  const { host, port } = parts.config;
  const app = await buildApp(parts);
  await app
    .listen({ host, port, listenTextResolver: (address) => `listening at ${address}` })
    .catch(async (cause) => {
      await app.close();
      throw new DenoiseError(
        'CONFIG_INVALID',
        { field: 'port', reason: reasonOf(cause), host, port },
        { cause },
      );
    });
  return { url: urlOf(app, parts), app, close: () => app.close() };
}

function urlOf(app: FastifyInstance, { config, tls }: HostParts): string {
  const { port } = app.server.address() as AddressInfo;
  const host = config.host.includes(':') ? `[${config.host}]` : config.host;
  return `${tls ? 'https' : 'http'}://${host}:${String(port)}`;
}

const reasonOf = (cause: unknown): string => (cause as NodeJS.ErrnoException).code ?? 'cannot listen';
