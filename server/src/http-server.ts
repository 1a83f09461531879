import { createServer, STATUS_CODES, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Socket } from 'node:net';
import { randomUUID } from 'node:crypto';
import { DenoiseError } from '@cipherdose/sdk/errors';
import type { HostConfig } from './config.ts';

/** Certificate and key, PEM. */
export interface TlsMaterial {
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** Makes the HTTP or HTTPS server with its time limits: a connection that says nothing is not kept for ever. */
export function createHttpServer(
  listener: RequestListener,
  config: HostConfig,
  tls: TlsMaterial | undefined,
): Server {
  const timeouts = {
    requestTimeout: config.requestTimeoutMs,
    headersTimeout: Math.min(30_000, config.requestTimeoutMs),
    keepAliveTimeout: 20_000,
    connectionsCheckingInterval: Math.min(5_000, config.requestTimeoutMs),
  };
  return tls ? createTlsServer({ ...timeouts, ...tls }, listener) : createServer(timeouts, listener);
}

/** Answers what is not HTTP, or too slow, in the form of all other errors, and ends the connection. */
export function answerBrokenRequest(error: Error & { readonly code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  const code = error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 'BODY_TIMEOUT' : 'REQUEST_INVALID';
  const { status, message, details } = new DenoiseError(code);
  const body = JSON.stringify({ error: { code, message, details, requestId: randomUUID() } });
  if (socket.writable)
    socket.write(
      `HTTP/1.1 ${String(status)} ${STATUS_CODES[status] ?? ''}\r\nconnection: close\r\n` +
        `content-type: application/json; charset=utf-8\r\ncontent-length: ${String(Buffer.byteLength(body))}\r\n\r\n${body}`,
    );
  socket.destroySoon();
}
