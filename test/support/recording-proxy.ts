import { createServer, request as forward, type IncomingMessage, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
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
  });

  /** @returns its own address */
  listen(): Promise<string> {
    return listenOnLoopback(this.#server);
  }

  close(): Promise<void> {
    return closeServer(this.#server);
  }

  async #pass(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const at = performance.now();
    const { method = '', url: path = '' } = request;
    const body = await buffer(request);
    this.requests.push({ at, method, path, contentType: request.headers['content-type'], body });
    if (method === 'POST') await new Promise((resolve) => setTimeout(resolve, this.frameDelayMs));
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
}
