import type { FastifyReply, FastifyRequest } from 'fastify';

/** Facts about a request that is over. Nothing in them tells what was in it. */
export interface RequestFacts {
  readonly method: string;
  /** The pattern of the route, not the address that was asked for. */
  readonly route: string;
  readonly status: number;
  /** Code of the error table, `OK`, or `ABORTED` if the client went away; of a WebSocket `OK`. */
  readonly code: string;
  readonly seconds: number;
}

/** Calls `listener` once when the answer was sent or given up; Fastify's onResponse misses broken connections. */
export function whenRequestEnds(
  request: FastifyRequest,
  reply: FastifyReply,
  listener: (facts: RequestFacts) => void,
): void {
  const start = performance.now();
  let sent = false;
  reply.raw.once('finish', () => (sent = true));
  reply.raw.once('close', () => {
    const upgraded = request.ws && reply.sent && !sent;
    listener({
      method: request.method,
      route: request.routeOptions.url ?? 'unknown',
      status: upgraded ? 101 : reply.statusCode,
      code: sent || upgraded ? (request.failure ?? 'OK') : 'ABORTED',
      seconds: (performance.now() - start) / 1000,
    });
  });
}
