import { createClientOver, fetchTransport, type DenoiseClient, type OpenSocket } from '@cipherdose/sdk';
import { fetch as undiciFetch, WebSocket as UndiciSocket, type RequestInfo, type RequestInit } from 'undici';
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
  const openSocket = (address: string, protocols: string[]) =>
    new UndiciSocket(address, { protocols, dispatcher: agent });
  const timeoutMs = host.timeoutSeconds * 1000;
  const transport = fetchTransport({
    ...{ serverUrl: host.url, timeoutMs },
    fetch: fetchByAgent as unknown as typeof fetch,
    openSocket: openSocket as unknown as OpenSocket,
    ...(host.apiKey === undefined ? {} : { apiKey: host.apiKey }),
  });
  const client = createClientOver(transport, {
    timeoutMs,
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
