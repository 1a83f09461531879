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

export interface AdmissionLimits {
  readonly maxConcurrentRequests: number;
  readonly maxBytesInFlight: number;
}

/** Bounds the frames in memory, by number and by bytes: while they arrive, are evaluated, and are sent. */
export class Admission {
  readonly #limits: AdmissionLimits;
  #running = 0;
  #bytes = 0;

  constructor(limits: AdmissionLimits) {
    this.#limits = limits;
  }

  get running(): number {
    return this.#running;
  }

  /**
   * Runs `work` on a request of `bytes`; its place is free again when it has ended and its response was sent or given
   * up.
   * @throws HOST_BUSY at once if there is no place
   */
  async run<T>(response: ServerResponse, bytes: number, work: () => Promise<T>): Promise<T> {
    const { maxConcurrentRequests, maxBytesInFlight } = this.#limits;
    if (this.#running >= maxConcurrentRequests || this.#bytes + bytes > maxBytesInFlight)
      throw new DenoiseError('HOST_BUSY', { requests: this.#running, bytes: this.#bytes });
    this.#take(1, bytes);
    const closed = response.closed ? undefined : once(response, 'close');
    const result = work();
    void Promise.allSettled([result, closed]).then(() => this.#take(-1, -bytes));
    return await result;
  }

  #take(requests: number, bytes: number): void {
    this.#running += requests;
    this.#bytes += bytes;
  }
}

export const admission = fp(
  (app: FastifyInstance, limits: AdmissionLimits) => {
    app.decorate('admission', new Admission(limits));
  },
  { name: 'admission' },
);
