import { connect, type Socket } from 'node:net';
import { frameContentType } from '@cipherdose/sdk/protocol';

/** What came back over a socket, as far as it is HTTP. */
export interface RawResponse {
  /** 0 if the connection ended without an answer. */
  readonly status: number;
  readonly headers: string;
  readonly body: string;
}

export const openSocket = (url: string): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname, () => resolve(socket));
    socket.once('error', reject);
  });

/** Reads one response, or until the connection ends. @throws if neither comes within `withinMs` */
export function readResponse(socket: Socket, withinMs = 10_000): Promise<RawResponse> {
  return new Promise((resolve, reject) => {
    let text = '';
    const settle = (done: () => void) => {
      clearTimeout(timer);
      socket.off('data', take).off('close', finish).off('error', finish);
      done();
    };
    const finish = () => settle(() => resolve(parseResponse(text)));
    const take = (chunk: Buffer) => {
      text += chunk.toString('latin1');
      const length = /content-length: (\d+)\r\n/i.exec(text)?.[1];
      const start = text.indexOf('\r\n\r\n') + 4;
      if (start >= 4 && length !== undefined && text.length >= start + Number(length)) finish();
    };
    const timer = setTimeout(
      () => settle(() => reject(new Error(`no answer within ${withinMs} ms`))),
      withinMs,
    );
    socket.on('data', take).on('close', finish).on('error', finish);
    if (socket.closed) finish();
  });
}

function parseResponse(text: string): RawResponse {
  const end = text.indexOf('\r\n\r\n');
  const headers = end < 0 ? text : text.slice(0, end);
  return { status: Number(/^HTTP\/1\.1 (\d+)/.exec(headers)?.[1] ?? 0), headers, body: text.slice(end + 4) };
}

/** Waits until the other side has closed. @throws if it does not within `withinMs` */
export function closed(socket: Socket, withinMs = 10_000): Promise<void> {
  return new Promise((resolve, reject) => {
    if (socket.closed) return resolve();
    const timer = setTimeout(() => reject(new Error(`still open after ${withinMs} ms`)), withinMs);
    socket
      .on('error', () => undefined)
      .once('close', () => {
        clearTimeout(timer);
        resolve();
      });
    socket.resume();
  });
}

/** Head of a POST to a layer; without a content-length if it is undefined. */
export const postHead = (
  contentLength?: number | string,
  path = '/v1/models/tiny/layers/0',
  more = '',
): string =>
  `POST ${path} HTTP/1.1\r\nhost: test\r\ncontent-type: ${frameContentType}\r\n` +
  (contentLength === undefined ? '' : `content-length: ${String(contentLength)}\r\n`) +
  `${more}\r\n`;

/** Sends text or bytes and reads what comes back. */
export async function exchangeRaw(url: string, ...parts: (string | Uint8Array)[]): Promise<RawResponse> {
  const socket = await openSocket(url);
  const response = readResponse(socket);
  for (const part of parts) socket.write(part);
  try {
    return await response;
  } finally {
    socket.destroy();
  }
}
