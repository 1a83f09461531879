import type { FastifyInstance } from 'fastify';
import fp from 'fastify-plugin';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { SessionFacts } from '../private/connection.ts';
import { whenRequestEnds } from './request-end.ts';

declare module 'fastify' {
  interface FastifyInstance {
    metrics: HostMetrics;
  }
}

/** One frame exchange, for the counters. */
export interface FrameExchange {
  readonly model: string;
  readonly layer: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Ciphertext x plaintext products. */
  readonly products: number;
  /** From the moment that the frame was whole, waiting included. */
  readonly seconds: number;
}

const evaluationBuckets = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** What a host counts: work and bytes. Nothing in it tells one image from another. */
export class HostMetrics {
  readonly registry = new Registry();
  readonly #requests = new Counter({
    name: 'cipherdose_requests_total',
    help: 'Requests by route and outcome',
    labelNames: ['method', 'route', 'status', 'code'],
    registers: [this.registry],
  });
  readonly #evaluation = new Histogram({
    name: 'cipherdose_evaluation_seconds',
    help: 'Evaluation of one tile group, waiting included',
    labelNames: ['model', 'layer'],
    buckets: evaluationBuckets,
    registers: [this.registry],
  });
  readonly #bytesIn = new Counter({
    name: 'cipherdose_frame_bytes_received_total',
    help: 'Bytes of request frames',
    registers: [this.registry],
  });
  readonly #bytesOut = new Counter({
    name: 'cipherdose_frame_bytes_sent_total',
    help: 'Bytes of reply frames',
    registers: [this.registry],
  });
  readonly #products = new Counter({
    name: 'cipherdose_products_total',
    help: 'Ciphertext x plaintext products',
    labelNames: ['model'],
    registers: [this.registry],
  });

  readonly #sessions = new Counter({
    name: 'cipherdose_private_sessions_total',
    help: 'Sessions of private mode that ended, by outcome',
    labelNames: ['model', 'code'],
    registers: [this.registry],
  });
  readonly #slices = new Counter({
    name: 'cipherdose_private_slices_total',
    help: 'Slices that private mode finished',
    labelNames: ['model'],
    registers: [this.registry],
  });
  readonly #activations = new Counter({
    name: 'cipherdose_private_activations_total',
    help: 'Activations that private mode prepared',
    labelNames: ['model'],
    registers: [this.registry],
  });
  readonly #privateBytes = new Counter({
    name: 'cipherdose_private_bytes_total',
    help: 'Bytes of messages of private mode',
    labelNames: ['direction'],
    registers: [this.registry],
  });

  countRequest(labels: { method: string; route: string; status: number; code: string }): void {
    this.#requests.inc(labels);
  }

  countExchange({ model, layer, bytesIn, bytesOut, products, seconds }: FrameExchange): void {
    this.#evaluation.observe({ model, layer }, seconds);
    this.#bytesIn.inc(bytesIn);
    this.#bytesOut.inc(bytesOut);
    this.#products.inc({ model }, products);
  }

  countSession(model: string, { code, slices, activations, bytesIn, bytesOut }: SessionFacts): void {
    this.#sessions.inc({ model, code });
    this.#slices.inc({ model }, slices);
    this.#activations.inc({ model }, activations);
    this.#privateBytes.inc({ direction: 'received' }, bytesIn);
    this.#privateBytes.inc({ direction: 'sent' }, bytesOut);
  }

  /** Adds a gauge that is read when somebody asks. */
  watch(name: string, help: string, read: () => number): void {
    const gauge: Gauge = new Gauge({
      name,
      help,
      registers: [this.registry],
      collect: () => gauge.set(read()),
    });
  }
}

export const metrics = fp(
  (app: FastifyInstance, { pending }: { readonly pending: () => number }) => {
    const counted = new HostMetrics();
    collectDefaultMetrics({ register: counted.registry });
    counted.watch(
      'cipherdose_frames_running',
      'Frames that arrive, wait, are evaluated or sent now',
      () => app.admission.running,
    );
    counted.watch(
      'cipherdose_evaluations_pending',
      'Frames that are evaluated or wait for a thread now',
      pending,
    );
    app.decorate('metrics', counted);
    app.addHook('onRequest', async (request, reply) => {
      whenRequestEnds(request, reply, ({ method, route, status, code }) =>
        counted.countRequest({ method, route, status, code }),
      );
    });
  },
  { name: 'metrics', dependencies: ['errors', 'admission'] },
);
