import type { AddressInfo } from 'node:net';
import { DenoiseError } from '@cipherdose/sdk/errors';
import { buildStatusApp, type StatusParts } from './status-app.ts';

export interface StatusServer {
  /** For example `http://127.0.0.1:8970`. */
  readonly url: string;
  close(): Promise<void>;
}

/** Serves the status page. @throws FILE_UNREADABLE, CONFIG_INVALID if the address cannot be listened on */
export async function startStatus(parts: StatusParts): Promise<StatusServer> {
  const { host, port, tls } = parts.config.status;
  const app = await buildStatusApp(parts);
  try {
    await app.listen({ host, port });
  } catch (cause) {
    await app.close();
    const { code = 'unknown' } = cause as NodeJS.ErrnoException;
    throw new DenoiseError(
      'CONFIG_INVALID',
      { field: 'status.port', reason: `cannot listen: ${code}` },
      { cause },
    );
  }
  const { address, port: taken, family } = app.server.address() as AddressInfo;
  const name = family === 'IPv6' ? `[${address}]` : address;
  return {
    url: `${tls ? 'https' : 'http'}://${name}:${taken}`,
    close: () => app.close(),
  };
}
