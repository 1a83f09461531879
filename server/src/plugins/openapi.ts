import swagger from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';
import fp from 'fastify-plugin';
import { jsonSchemaTransform, serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod';
import { packageVersion } from '../package-version.ts';

/** zod schemas check requests and replies, and describe them at /v1/openapi.json. */
export const openapi = fp(
  async (app: FastifyInstance, { needsKey }: { readonly needsKey: boolean }) => {
    app.setValidatorCompiler(validatorCompiler);
    app.setSerializerCompiler(serializerCompiler);
    await app.register(swagger, {
      openapi: {
        openapi: '3.1.0',
        info: {
          title: 'CipherDose model host',
          version: packageVersion,
          description: 'Evaluates denoising networks on encrypted CT images. Holds no key and keeps nothing.',
          license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
        },
        components: { securitySchemes: { apiKey: { type: 'http', scheme: 'bearer' } } },
        security: needsKey ? [{ apiKey: [] }] : [],
      },
      transform: jsonSchemaTransform,
    });
  },
  { name: 'openapi' },
);
