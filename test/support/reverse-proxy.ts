import { createServer, request as forward } from 'node:http';
import { closeServer, listenOnLoopback } from './loopback.ts';

/** One request to a place behind the proxy. */
export interface PassedRequest {
  readonly path: string;
  readonly authorization: string | undefined;
}

/** Where a path leads. */
export interface Place {
  readonly origin: string;
  /** The part of the path that the place does not know of. */
  readonly strip?: string;
  /** Answers 401, as a gateway does that knows nothing of what is behind it, unless the request brings this. */
  authorization?: string;
}

/** One origin with several things under paths of it, as a hospital's reverse proxy has them. */
export class ReverseProxy {
  readonly requests: PassedRequest[] = [];
  /** By the beginning of the path. */
  readonly places = new Map<string, Place>();
  readonly #server = createServer((request, response) => {
    const { url = '/', method, headers } = request;
    const { authorization } = headers;
    this.requests.push({ path: url, authorization });
    const place = [...this.places].find(([path]) => url.startsWith(path))?.[1];
    if (!place) return void response.writeHead(404).end();
    if (place.authorization !== undefined && authorization !== place.authorization)
      return void response.writeHead(401, { 'content-type': 'text/html' }).end('<h1>401</h1>');
    const path = url.slice((place.strip ?? '').length);
    const onward = forward(new URL(path, place.origin), { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => response.writeHead(502).end());
    response.on('close', () => onward.destroy());
    request.pipe(onward);
  });

  /** @returns its origin */
  listen(): Promise<string> {
    return listenOnLoopback(this.#server);
  }

  close(): Promise<void> {
    return closeServer(this.#server);
  }
}
