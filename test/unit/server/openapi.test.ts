import { expect, test } from '@jest/globals';
import { Validator } from '@seriousme/openapi-schema-validator';
import { frameContentType } from '@cipherdose/sdk/protocol';
import { buildApp } from '#server/app.js';
import { checkConfig } from '#server/config.js';
import { stubEvaluator, stubModels } from '../../support/tiny-models.ts';

interface Operation {
  readonly operationId: string;
  readonly requestBody?: { readonly content: Record<string, unknown> };
  readonly responses: Record<string, { readonly content?: Record<string, { readonly schema: object }> }>;
}
interface OpenApi {
  readonly paths: Record<string, Record<string, Operation>>;
}

test('the OpenAPI document is valid and lists every route with its schemas', async () => {
  const config = checkConfig({ open: true, logLevel: 'silent' });
  const app = await buildApp({ config, models: stubModels(), evaluator: stubEvaluator() });
  const document = (await app.inject('/v1/openapi.json')).json<OpenApi>();
  await app.close();

  const result = await new Validator().validate({ ...document });
  expect(result).toMatchObject({ valid: true });

  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { operationId }]) => `${method} ${path} ${operationId}`),
  );
  expect(operations.sort()).toEqual([
    'get /healthz health',
    'get /metrics metrics',
    'get /readyz readiness',
    'get /v1/models listModels',
    'get /v1/models/{id} getModel',
    'get /v1/openapi.json openapi',
    'post /v1/models/{id}/layers/{layer} evaluateLayer',
    'post /v1/private/tickets openPrivateSession',
  ]);
  const layer = document.paths['/v1/models/{id}/layers/{layer}']?.['post'];
  expect(Object.keys(layer?.requestBody?.content ?? {})).toEqual([frameContentType]);
  expect(Object.keys(layer?.responses['200']?.content ?? {})).toEqual([frameContentType]);
  const failure = layer?.responses['4XX']?.content?.['application/json']?.schema;
  expect(JSON.stringify(failure)).toContain('requestId');
  const list = document.paths['/v1/models']?.['get']?.responses['200']?.content?.['application/json']?.schema;
  expect(JSON.stringify(list)).toContain('bytesUp');
});
