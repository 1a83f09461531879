import { afterEach, describe, expect, test } from '@jest/globals';
import { setImmediate } from 'node:timers/promises';
import { errorTable, isErrorCode } from '@cipherdose/sdk/errors';
import { frameBytes } from '@cipherdose/sdk/packing';
import { checkPlan } from '@cipherdose/sdk/plan';
import { frameContentType, modelDetailSchema, modelListSchema } from '@cipherdose/sdk/protocol';
import { buildApp, type HostParts } from '#server/app.js';
import { checkConfig } from '#server/config.js';
import {
  requestFrame,
  stubEvaluator,
  stubModels,
  tinyExchange,
  tinyModel,
} from '../../support/tiny-models.ts';

type App = Awaited<ReturnType<typeof buildApp>>;
const apps: App[] = [];
afterEach(async () => {
  for (const app of apps.splice(0)) await app.close();
});

async function build(settings: object = {}, parts: Partial<HostParts> = {}): Promise<App> {
  const config = checkConfig({ open: true, logLevel: 'silent', ...settings });
  const app = await buildApp({ config, models: stubModels(), evaluator: stubEvaluator(), ...parts });
  apps.push(app);
  return app;
}

const frameRequest = (payload: Uint8Array, url = '/v1/models/tiny/layers/0', headers: object = {}) => ({
  method: 'POST' as const,
  url,
  payload: Buffer.from(payload),
  headers: { 'content-type': frameContentType, ...headers },
});

describe('models', () => {
  test('are listed with what a slice costs', async () => {
    const response = await (await build()).inject('/v1/models');
    expect(response.statusCode).toBe(200);
    const { models } = modelListSchema.parse(response.json());
    expect(models).toEqual([
      {
        id: 'tiny',
        version: '1.0.0',
        digest: tinyModel.digest,
        modes: ['linear'],
        summary: tinyModel.summary,
        cost: tinyModel.cost,
      },
    ]);
  });

  test('show a plan that matches its digest', async () => {
    const response = await (await build()).inject('/v1/models/tiny');
    const detail = modelDetailSchema.parse(response.json());
    expect(checkPlan(detail.plan, detail.digest).digest).toBe(tinyModel.digest);
    expect(detail.card).toEqual({ data: 'none' });
  });

  test.each([
    ['/v1/models/other', 404, 'MODEL_UNKNOWN'],
    ['/v1/models/UPPER', 400, 'REQUEST_INVALID'],
    ['/v1/models/..%2f..%2fetc%2fpasswd', 400, 'REQUEST_INVALID'],
    ['/v1/models/%00', 400, 'REQUEST_INVALID'],
    ['/v1/models/%zz', 400, 'REQUEST_INVALID'],
    [`/v1/models/${'x'.repeat(200)}`, 400, 'REQUEST_INVALID'],
    ['/nowhere', 404, 'ROUTE_UNKNOWN'],
  ])('%s is refused', async (url, status, code) => {
    const response = await (await build()).inject(url);
    expect(response.statusCode).toBe(status);
    const { error } = response.json<{ error: Record<string, unknown> }>();
    expect(error).toMatchObject({ code, requestId: response.headers['x-request-id'] });
    expect(Object.keys(error)).toEqual(['code', 'message', 'details', 'requestId']);
  });
});

describe('a layer', () => {
  test('answers a frame with a frame', async () => {
    const evaluator = stubEvaluator();
    const response = await (await build({}, { evaluator })).inject(frameRequest(requestFrame()));
    const { request, reply } = tinyExchange();
    expect(response.statusCode).toBe(200);
    expect(response.headers['content-type']).toBe(frameContentType);
    expect(Number(response.headers['content-length'])).toBe(frameBytes(reply));
    expect(response.rawPayload.length).toBe(frameBytes(reply));
    expect(evaluator.frames).toEqual([frameBytes(request)]);
  });

  test.each([
    ['another digest', requestFrame({ digest: '1'.repeat(64) }), '0', 409, 'FRAME_DIGEST'],
    ['another layer than its address', requestFrame({ layer: 1 }), '0', 400, 'FRAME_LAYER'],
    ['an unknown layer', requestFrame({ layer: 1 }), '1', 404, 'LAYER_UNKNOWN'],
    ['a layer that is no number', requestFrame(), '0x0', 400, 'REQUEST_INVALID'],
    ['another parameter set', requestFrame({ parameterSetId: 2 }), '0', 400, 'FRAME_PARAMETERS'],
    ['a reply', requestFrame({ kind: 'reply' }), '0', 400, 'FRAME_KIND'],
    ['tiles beyond the map', requestFrame({ firstTile: 1000 }), '0', 400, 'FRAME_GEOMETRY'],
    ['more tiles than it brings', requestFrame({ tiles: 2 }), '0', 400, 'FRAME_LENGTH'],
    ['other channels', requestFrame({ channels: 2 }), '0', 400, 'FRAME_GEOMETRY'],
    ['a map that is too large', requestFrame({ mapHeight: 2 ** 32 - 1 }), '0', 400, 'FRAME_GEOMETRY'],
    ['another length than its header', requestFrame({ bodyBytes: 1 }), '0', 400, 'FRAME_LENGTH'],
    ['bytes left over', new Uint8Array([...requestFrame(), 0]), '0', 400, 'FRAME_LENGTH'],
    ['less than a header', requestFrame().subarray(0, 63), '0', 400, 'FRAME_LENGTH'],
    ['garbage', new Uint8Array(100).fill(0xa5), '0', 400, 'FRAME_MAGIC'],
  ])('refuses %s', async (_what, payload, layer, status, code) => {
    const evaluator = stubEvaluator();
    const app = await build({}, { evaluator });
    const response = await app.inject(frameRequest(payload, `/v1/models/tiny/layers/${layer}`));
    expect(response.json()).toMatchObject({ error: { code } });
    expect(response.statusCode).toBe(status);
    expect(evaluator.frames).toEqual([]);
  });

  test('refuses another content type', async () => {
    const app = await build();
    for (const type of ['application/json', 'application/octet-stream', 'text/plain', 'nonsense']) {
      const request = frameRequest(requestFrame(), undefined, { 'content-type': type });
      const response = await app.inject(request);
      expect([response.statusCode, response.json()]).toMatchObject([415, { error: { code: 'BODY_TYPE' } }]);
    }
    const response = await app.inject({ method: 'POST', url: '/v1/models/tiny/layers/0' });
    expect(response.json()).toMatchObject({ error: { code: 'BODY_TYPE' } });
  });

  test('refuses more bytes than the host is set to', async () => {
    const app = await build({ maxBodyBytes: 1024 });
    const response = await app.inject(frameRequest(requestFrame()));
    expect([response.statusCode, response.json()]).toMatchObject([
      413,
      { error: { code: 'BODY_TOO_LARGE' } },
    ]);
  });

  test('hides what went wrong inside', async () => {
    const evaluator = { pending: 0, evaluate: () => Promise.reject(new Error('secret path /srv/weights')) };
    const response = await (await build({}, { evaluator })).inject(frameRequest(requestFrame()));
    expect(response.statusCode).toBe(500);
    expect(response.json()).toMatchObject({ error: { code: 'INTERNAL', details: {} } });
    expect(response.body).not.toContain('secret');
  });

  test('does not pass on a reply of the wrong length', async () => {
    const evaluator = { pending: 0, evaluate: () => Promise.resolve(new Uint8Array(10)) };
    const response = await (await build({}, { evaluator })).inject(frameRequest(requestFrame()));
    expect(response.json()).toMatchObject({ error: { code: 'INTERNAL' } });
  });
});

describe('limits', () => {
  test('refuse what is too much at once, and take it again afterwards', async () => {
    const app = await build({ maxConcurrentRequests: 2 }, { evaluator: stubEvaluator(200) });
    const responses = await Promise.all([1, 2, 3].map(() => app.inject(frameRequest(requestFrame()))));
    expect(responses.map(({ statusCode }) => statusCode).sort()).toEqual([200, 200, 503]);
    const refused = responses.find(({ statusCode }) => statusCode === 503);
    expect(refused?.json()).toMatchObject({ error: { code: 'HOST_BUSY' } });
    expect(refused?.headers['retry-after']).toBe('1');
    expect((await app.inject(frameRequest(requestFrame()))).statusCode).toBe(200);
    await setImmediate();
    expect(app.admission.running).toBe(0);
  });

  test('count bytes, too', async () => {
    const bytes = requestFrame().length;
    const settings = { maxBodyBytes: bytes, maxBytesInFlight: 2 * bytes + 1 };
    const app = await build(settings, { evaluator: stubEvaluator(200) });
    const responses = await Promise.all([1, 2, 3].map(() => app.inject(frameRequest(requestFrame()))));
    expect(responses.map(({ statusCode }) => statusCode).sort()).toEqual([200, 200, 503]);
    expect((await app.inject(frameRequest(requestFrame()))).statusCode).toBe(200);
  });

  test('refuse what comes too often, but never a probe', async () => {
    const app = await build({ rateLimit: { max: 2, perSeconds: 60 } });
    for (let i = 0; i < 2; i++) expect((await app.inject('/v1/models')).statusCode).toBe(200);
    const refused = await app.inject('/v1/models');
    expect([refused.statusCode, refused.json()]).toMatchObject([429, { error: { code: 'RATE_LIMITED' } }]);
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    expect((await app.inject('/healthz')).statusCode).toBe(200);
    expect((await app.inject('/nowhere')).statusCode).toBe(429);
  });
});

describe('operations', () => {
  test('a host with models is ready, one without is not', async () => {
    expect((await (await build()).inject('/readyz')).json()).toEqual({ status: 'ready', models: 1 });
    const empty = await build({}, { models: stubModels([]) });
    const response = await empty.inject('/readyz');
    expect([response.statusCode, response.json()]).toMatchObject([
      503,
      { error: { code: 'HOST_NOT_READY' } },
    ]);
  });

  test('metrics count requests, bytes and products', async () => {
    const app = await build();
    await app.inject(frameRequest(requestFrame()));
    await app.inject(frameRequest(requestFrame({ layer: 3 })));
    const { body } = await app.inject('/metrics');
    const { request, reply, tiling } = tinyExchange();
    expect(tiling.tiles).toBeGreaterThan(1);
    const route = 'method="POST",route="/v1/models/:id/layers/:layer"';
    expect(body).toContain(`cipherdose_requests_total{${route},status="200",code="OK"} 1`);
    expect(body).toContain(`cipherdose_requests_total{${route},status="400",code="FRAME_LAYER"} 1`);
    expect(body).toContain(`cipherdose_frame_bytes_received_total ${String(frameBytes(request))}`);
    expect(body).toContain(`cipherdose_frame_bytes_sent_total ${String(frameBytes(reply))}`);
    expect(body).toContain('cipherdose_products_total{model="tiny"} 1');
    expect(body).toContain('cipherdose_evaluation_seconds_count{model="tiny",layer="0"} 1');
    expect(body).toContain('cipherdose_frames_running 0');
    expect(body).toContain('cipherdose_evaluations_pending 0');
  });

  test('a request id is kept if it is harmless', async () => {
    const app = await build();
    const given = await app.inject({ url: '/healthz', headers: { 'x-request-id': 'proxy-17.a' } });
    expect(given.headers['x-request-id']).toBe('proxy-17.a');
    const harmful = await app.inject({ url: '/healthz', headers: { 'x-request-id': 'a b"<script>' } });
    expect(harmful.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
  });

  test('web pages of named origins may ask, others not', async () => {
    const app = await build({ corsOrigins: ['https://viewer.example.org'] });
    const preflight = (origin: string) =>
      app.inject({
        method: 'OPTIONS',
        url: '/v1/models/tiny/layers/0',
        headers: { origin, 'access-control-request-method': 'POST' },
      });
    const allowed = await preflight('https://viewer.example.org');
    expect(allowed.statusCode).toBe(204);
    expect(allowed.headers['access-control-allow-origin']).toBe('https://viewer.example.org');
    expect(allowed.headers['access-control-allow-headers']).toContain('authorization');
    const denied = await preflight('https://elsewhere.example.org');
    expect(denied.headers['access-control-allow-origin']).toBeUndefined();
  });
});

test('every code of the wire has an HTTP status', () => {
  for (const code of ['FRAME_RESIDUE', 'HOST_BUSY', 'BODY_TIMEOUT', 'HOST_CLOSING']) {
    expect(isErrorCode(code)).toBe(true);
    expect(errorTable[code as 'HOST_BUSY'].status).toBeGreaterThanOrEqual(400);
  }
});
