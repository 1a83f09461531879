import { createDenoiseClient, type DenoiseClient } from '@cipherdose/sdk';
import { fetch as undiciFetch, type RequestInfo, type RequestInit } from 'undici';
import type { HostConfig } from './config/config-schema.ts';
import { httpAgent } from './orthanc/http-agent.ts';

export interface HostConnection {
  readonly client: DenoiseClient;
  close(): Promise<void>;
}

/** The SDK's client over connections that trust the CA file of the configuration. @throws FILE_UNREADABLE */
export async function connectHost(host: HostConfig): Promise<HostConnection> {
  const agent = await httpAgent(host);
  const fetchByAgent = (input: unknown, init: unknown) =>
    undiciFetch(input as RequestInfo, { ...(init as RequestInit), dispatcher: agent });
  const client = createDenoiseClient({
    serverUrl: host.url,
    fetch: fetchByAgent as unknown as typeof fetch,
    timeoutMs: host.timeoutSeconds * 1000,
    ...(host.apiKey === undefined ? {} : { apiKey: host.apiKey }),
    ...(host.workers === undefined ? {} : { workers: host.workers }),
  });
  return {
    client,
    async close() {
      client.close();
      await agent.destroy();
    },
  };
}
