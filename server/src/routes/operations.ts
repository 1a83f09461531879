import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { DenoiseError } from '@cipherdose/sdk/errors';
import type { ModelSource } from '../model-source.ts';
import { failures } from './replies.ts';

const health = z.strictObject({ status: z.literal('ok') });
const readiness = z.strictObject({ status: z.literal('ready'), models: z.int() });
const openapiDocument = z.record(z.string(), z.unknown()).describe('This document');

/** What load balancers, Prometheus and generators of clients ask. */
export const operationRoutes: FastifyPluginAsyncZod<{ models: ModelSource }> = async (app, { models }) => {
  app.get(
    '/healthz',
    {
      config: { public: true, probe: true },
      schema: {
        operationId: 'health',
        summary: 'The process is alive',
        security: [],
        response: { 200: health },
      },
    },
    async () => ({ status: 'ok' as const }),
  );

  app.get(
    '/readyz',
    {
      config: { public: true, probe: true },
      schema: {
        operationId: 'readiness',
        summary: 'The host has models and takes requests',
        security: [],
        response: { 200: readiness, ...failures },
      },
    },
    async () => {
      if (app.isClosing()) throw new DenoiseError('HOST_CLOSING');
      const count = models.list().length;
      if (count === 0) throw new DenoiseError('HOST_NOT_READY');
      return { status: 'ready' as const, models: count };
    },
  );

  app.get(
    '/metrics',
    {
      schema: {
        operationId: 'metrics',
        summary: 'Counters for Prometheus',
        produces: ['text/plain'],
        response: { 200: z.string(), ...failures },
      },
    },
    async (_request, reply) => {
      const { registry } = app.metrics;
      return await reply
        .type(registry.contentType)
        .serializer(String)
        .send(await registry.metrics());
    },
  );

  app.get(
    '/v1/openapi.json',
    {
      config: { public: true },
      schema: {
        operationId: 'openapi',
        summary: 'This description',
        security: [],
        response: { 200: openapiDocument, ...failures },
      },
    },
    async () => ({ ...app.swagger() }),
  );
};
