import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { FastifyInstance } from 'fastify';
import fp from 'fastify-plugin';
import { DenoiseError } from '@cipherdose/sdk/errors';

declare module 'fastify' {
  interface FastifyInstance {
    admission: Admission;
  }
}

/** Bounds how many frames are in memory at once: while they arrive, are evaluated, and are sent. */
export class Admission {
  readonly #most: number;
  #running = 0;

  constructor(most: number) {
    this.#most = most;
  }

  get running(): number {
    return this.#running;
  }

  /**
   * Runs `work`; its place is free again when it has ended and its response was sent or given up.
   * @throws HOST_BUSY at once if there is no place
   */
  async run<T>(response: ServerResponse, work: () => Promise<T>): Promise<T> {
    if (this.#running >= this.#most) throw new DenoiseError('HOST_BUSY', { requests: this.#most });
    this.#running += 1;
    const closed = response.closed ? undefined : once(response, 'close');
    const result = work();
    void Promise.allSettled([result, closed]).then(() => (this.#running -= 1));
    return await result;
  }
}

export const admission = fp(
  (app: FastifyInstance, { maxConcurrentRequests }: { readonly maxConcurrentRequests: number }) => {
    app.decorate('admission', new Admission(maxConcurrentRequests));
  },
  { name: 'admission' },
);
