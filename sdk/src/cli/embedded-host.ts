import { readFile } from 'node:fs/promises';
import { createDenoiseClient, type DenoiseClient } from '@cipherdose/sdk';
import { DenoiseError } from '@cipherdose/sdk/errors';
import type * as Server from '@cipherdose/server';
import { systemCode } from './slice-files.ts';

export interface HostChoice {
  /** Address of a host; without one, a host with the shipped models is started for as long as it is needed. */
  readonly server?: string;
  readonly apiKeyFile?: string;
}

/** A host to work with. */
export interface ReachedHost extends AsyncDisposable {
  readonly url: string;
  readonly apiKey?: string;
  /** It was started here, and ends when it is disposed of. */
  readonly embedded: boolean;
}

/** @throws USAGE if the address is none, FILE_UNREADABLE for the key file */
export async function reachHost({ server, apiKeyFile }: HostChoice): Promise<ReachedHost> {
  if (server === undefined) return embeddedHost();
  if (!URL.canParse(server) || !/^https?:$/.test(new URL(server).protocol))
    throw new DenoiseError('USAGE', { option: '--server', reason: 'not an http or https address' });
  const key = apiKeyFile === undefined ? {} : { apiKey: await readKey(apiKeyFile) };
  return { url: server, ...key, embedded: false, [Symbol.asyncDispose]: async () => undefined };
}

async function readKey(file: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (error) {
    throw new DenoiseError('FILE_UNREADABLE', { file, reason: systemCode(error) }, { cause: error });
  }
}

/** On a free port of the loopback address, without API keys: nobody else can reach it. */
async function embeddedHost(): Promise<ReachedHost> {
  const { startHost } = await loadServer();
  const host = await startHost();
  return { url: host.url, embedded: true, [Symbol.asyncDispose]: () => host.close() };
}

/** The host is a package of its own, which users of a remote host need not install. @throws USAGE */
export async function loadServer(): Promise<typeof Server> {
  try {
    return await import('@cipherdose/server');
  } catch (error) {
    if (systemCode(error) !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new DenoiseError(
      'USAGE',
      { reason: 'install @cipherdose/server, or name a --server' },
      { cause: error },
    );
  }
}

/** A client of `host` that is closed with its scope. */
export function clientOf(host: ReachedHost, options: { workers?: number; attempts?: number } = {}) {
  const key = host.apiKey === undefined ? {} : { apiKey: host.apiKey };
  const client: DenoiseClient = createDenoiseClient({ serverUrl: host.url, ...key, ...options });
  return Object.assign(client, { [Symbol.dispose]: () => client.close() });
}
