import { createServer, request as forward, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setTimeout } from 'node:timers/promises';
import { closeServer, listenOnLoopback } from './loopback.ts';

/** One request as it was on the wire. */
export interface RecordedRequest {
  /** `performance.now()` when its head arrived. */
  readonly at: number;
  readonly method: string;
  readonly path: string;
  readonly contentType: string | undefined;
  readonly body: Buffer;
}

/** Stands between a client and a host, and keeps everything that the client sends. */
export class RecordingProxy {
  readonly requests: RecordedRequest[] = [];
  /** Address of the host behind. */
  target = '';
  /** Time that every frame is held back, milliseconds. */
  frameDelayMs = 0;
  /** Answers frames itself, as a host that does not take them. */
  refuseFrames = false;
  readonly #server = createServer((request, response) => {
    this.#pass(request, response).catch(() => response.destroy());
  }).on('upgrade', (request, socket, head) => this.#passSocket(request, socket, head));
  readonly #sockets = new Set<Duplex>();

  /** WebSockets that are open. */
  get sockets(): number {
    return this.#sockets.size;
  }

  /** Breaks every WebSocket off, as a network does. */
  breakSockets(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /**
   * Waits three seconds.
   *
   * @returns the paths of requests in the last two; what was on its way when the caller asked has arrived before.
   */
  async lateRequests(): Promise<readonly string[]> {
    await setTimeout(1000);
    const known = this.requests.length;
    await setTimeout(2000);
    return this.requests.slice(known).map(({ path }) => path);
  }

  /** @returns its own address */
  listen(): Promise<string> {
    return listenOnLoopback(this.#server);
  }

  close(): Promise<void> {
    this.breakSockets();
    return closeServer(this.#server);
  }

  async #pass(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const at = performance.now();
    const { method = '', url: path = '' } = request;
    const body = await buffer(request);
    this.requests.push({ at, method, path, contentType: request.headers['content-type'], body });
    if (method === 'POST') await setTimeout(this.frameDelayMs);
    if (method === 'POST' && this.refuseFrames) {
      const error = { code: 'REQUEST_INVALID', message: 'refused', details: {}, requestId: 'test' };
      response.writeHead(400, { 'content-type': 'application/json' }).end(JSON.stringify({ error }));
      return;
    }
    const onward = forward(new URL(path, this.target), { method, headers: request.headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    response.on('close', () => onward.destroy());
    onward.end(body);
  }

  /** A WebSocket goes through as it is; of what it carries nothing is kept. */
  #passSocket(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { method = '', url: path = '', headers } = request;
    this.requests.push({
      ...{ at: performance.now(), method, path, contentType: headers.upgrade },
      body: Buffer.alloc(0),
    });
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    const onward = forward(new URL(path, this.target), { method, headers });
    const end = (): void => void [socket, onward].forEach((one) => one.destroy());
    onward.on('error', end).on('response', end);
    onward.on('upgrade', ({ statusCode, statusMessage, rawHeaders }, host: Duplex, first: Buffer) => {
      const lines = [`HTTP/1.1 ${String(statusCode)} ${statusMessage ?? ''}`];
      for (let i = 0; i < rawHeaders.length; i += 2) lines.push(`${rawHeaders[i]}: ${rawHeaders[i + 1]}`);
      socket.write(`${lines.join('\r\n')}\r\n\r\n`);
      socket.write(first);
      host.write(head);
      socket.pipe(host).on('error', end).on('close', end);
      host.pipe(socket).on('error', end).on('close', end);
    });
    socket.on('error', end);
    onward.end();
  }
}
