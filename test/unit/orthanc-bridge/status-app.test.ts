import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { FastifyInstance, InjectOptions } from 'fastify';
import { Registry } from 'prom-client';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DenoiseError } from '@cipherdose/sdk/errors';
import { BridgeEvents, type AuditFacts, type JobRecord } from '@cipherdose/orthanc-bridge';
import { hashPassword } from '#bridge/status/passwords.js';
import { buildStatusApp, type StatusParts } from '#bridge/status/status-app.js';
import { statusSchema } from '#bridge/status/status-schema.js';
import { bridgeConfig } from '../../support/bridge-config.ts';
import { testJob } from '../../support/test-job.ts';

const password = 'a long enough password';
const passwordHash = await hashPassword(password);
const study = {
  MainDicomTags: { StudyInstanceUID: '1.2.3/4' },
  PatientMainDicomTags: { PatientName: 'DOE^JANE' },
};

let folder: string;
let app: FastifyInstance;
let audit: AuditFacts[];
let orders: string[];
let peers: Map<string, boolean>;
const job = testJob({ state: 'failed', errorCode: 'SERIES_INCOMPLETE', errorDetails: { gaps: 1 } });

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'status-'));
  writeFileSync(join(folder, 'audit.jsonl'), '{"number":1,"time":"t","event":"started","who":"b"}\n{"numb');
  audit = [];
  orders = [];
  peers = new Map([
    ['queue', true],
    ['host', true],
    ['orthanc:pacs', true],
  ]);
});
afterEach(async () => {
  await app.close();
  rmSync(folder, { recursive: true });
});

async function start(settings: Readonly<Record<string, unknown>> = {}): Promise<void> {
  const config = await bridgeConfig({
    orthanc: { url: 'http://127.0.0.1:9', username: 'u', password: 'p' },
    hostUrl: 'http://127.0.0.1:9',
    settings: {
      dataFolder: folder,
      orthancs: [
        { name: 'pacs', url: 'http://127.0.0.1:9', viewerUrl: 'https://v.org/{study}?o={orthancStudy}' },
      ],
    },
  });
  const status = statusSchema.parse({ users: [{ name: 'admin', passwordHash }], ...settings });
  const order =
    (name: string) =>
    async (...values: string[]) =>
      void orders.push([name, ...values].join(' '));
  const bridge = {
    ...{
      name: 'b1',
      rules: config.rules,
      paused: false,
      metrics: new Registry(),
      events: new BridgeEvents(),
    },
    ...{ statusUrl: undefined, close: async () => undefined },
    jobs: async ({ states }: { states?: readonly string[] } = {}) =>
      (states ?? ['failed']).includes('failed') ? [job] : [],
    job: async (id: string): Promise<JobRecord> => {
      if (id !== job.id) throw new DenoiseError('JOB_UNKNOWN', { job: id });
      return job;
    },
    counts: async () => ({ queued: 0, running: 0, done: 0, failed: 1, quarantined: 0 }),
    queueCounts: async () => ({ queued: 0, active: 0, dead: 1 }),
    progress: () => new Map(),
    peers: () => peers,
    history: async () => [{ start: new Date(0), series: 1, slices: 2, bytesUp: 3, bytesDown: 4 }],
    nudge: () => void orders.push('nudge'),
    ...{ replay: order('replay'), pause: order('pause'), resume: order('resume') },
  };
  app = await buildStatusApp({
    config: { ...config, status },
    bridge,
    orthancs: new Map([['pacs', { study: async () => study }]]) as unknown as StatusParts['orthancs'],
    reader: { read: () => Promise.reject(new Error('not in this test')) },
    audit: { append: async (facts) => void audit.push(facts) },
    auditFile: join(folder, 'audit.jsonl'),
    log: { debug() {}, info() {}, warn() {}, error() {}, fatal() {} } as unknown as StatusParts['log'],
    now: () => new Date(),
  });
}

const ask = (method: 'GET' | 'POST', url: string, options: InjectOptions = {}) =>
  app.inject({ method, url, ...options });
const tryLogin = (typed: string, headers = {}, name = 'admin') =>
  ask('POST', '/api/login', { payload: { name, password: typed }, headers });

async function logIn(): Promise<{ cookies: Record<string, string> }> {
  const answer = await tryLogin(password);
  expect(answer.statusCode).toBe(204);
  return { cookies: Object.fromEntries(answer.cookies.map(({ name, value }) => [name, value])) };
}

describe('without a login', () => {
  test('only the empty page, health and metrics are there', async () => {
    await start();
    for (const url of [
      '/',
      '/assets/main.js',
      '/assets/uPlot.iife.min.js',
      '/healthz',
      '/readyz',
      '/metrics',
    ])
      expect([url, (await ask('GET', url)).statusCode]).toEqual([url, 200]);
    const others = [
      'overview',
      'jobs',
      'history',
      'audit',
      'rules',
      'events',
      `jobs/${job.id}/images/before`,
    ];
    for (const url of [...others.map((path) => `/api/${path}`), `/jobs/${job.id}/viewer`])
      expect([url, (await ask('GET', url)).statusCode]).toEqual([url, 401]);
    for (const url of ['/api/pause', `/api/jobs/${job.id}/replay`, '/api/dry-run'])
      expect([url, (await ask('POST', url)).statusCode]).toEqual([url, 401]);
    for (const url of ['/assets/../package.json', '/assets/%2e%2e/x', '/api/nothing'])
      expect([url, (await ask('GET', url)).statusCode]).toEqual([url, 404]);
    expect(orders).toEqual([]);
  });

  test('the page may load its own files only, and nothing inline', async () => {
    await start();
    const { headers, body } = await ask('GET', '/');
    const policy = String(headers['content-security-policy']);
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain('unsafe');
    expect(headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'cache-control': 'no-store' });
    expect(body).not.toMatch(/<script(?![^>]*src=)|<style|\sstyle=|\son\w+=|https?:\/\/(?!www\.w3\.org)/);
  });

  test('names and passwords that are wrong look alike, and are written down without what was typed', async () => {
    await start();
    const [wrong, unknown] = [await tryLogin('wrong'), await tryLogin(password, {}, 'hunter2')];
    expect([wrong.statusCode, wrong.body]).toEqual([401, unknown.body]);
    expect(wrong.json()).toMatchObject({ error: { code: 'LOGIN_REFUSED' } });
    expect(audit).toEqual([
      { event: 'login-refused', who: 'admin' },
      { event: 'login-refused', who: 'unknown name' },
    ]);
  });

  test('guessing comes to an end', async () => {
    await start();
    const codes: number[] = [];
    for (let attempt = 0; attempt < 11; attempt++)
      codes.push((await tryLogin('wrong', {}, 'nobody')).statusCode);
    expect(codes).toEqual([...Array.from({ length: 10 }, () => 401), 429]);
  });

  test('orders of other web sites are refused', async () => {
    await start();
    const { cookies } = await logIn();
    const from = async (headers: Record<string, string>) =>
      (await ask('POST', '/api/pause', { cookies, headers })).statusCode;
    expect(await from({ 'sec-fetch-site': 'cross-site' })).toBe(403);
    expect(await from({ 'sec-fetch-site': 'same-site' })).toBe(403);
    expect(await from({ origin: 'https://evil.example.org', host: 'bridge:8970' })).toBe(403);
    expect(await from({ origin: 'null', host: 'bridge:8970' })).toBe(403);
    expect(orders).toEqual([]);
    expect(await from({ origin: 'http://bridge:8970', host: 'bridge:8970' })).toBe(204);
    expect(await from({ 'sec-fetch-site': 'same-origin' })).toBe(204);
    expect(orders).toEqual(['pause admin', 'pause admin']);
  });
});

test('behind a proxy the cookie wants HTTPS, and a proxy that does not say so is named', async () => {
  await start({ behindProxy: true });
  const plain = await tryLogin(password);
  expect([plain.statusCode, plain.cookies]).toEqual([422, []]);
  expect(plain.json().error.message).toContain('x-forwarded-proto');
  const answer = await tryLogin(password, { 'x-forwarded-proto': 'https' });
  expect([answer.statusCode, answer.cookies[0]]).toEqual([204, expect.objectContaining({ secure: true })]);
  expect(answer.headers['strict-transport-security']).toBeDefined();
});

describe('with a login', () => {
  test('the session is a cookie that scripts and other sites do not get, new with each login, gone after logout', async () => {
    await start();
    const [first, second] = [await tryLogin(password), await tryLogin(password)];
    expect(first.cookies[0]).toMatchObject({ httpOnly: true, sameSite: 'Strict' });
    expect(first.cookies[0]?.value).not.toBe(second.cookies[0]?.value);
    const session = await logIn();
    expect((await ask('GET', '/api/overview', session)).statusCode).toBe(200);
    await ask('POST', '/api/logout', session);
    expect((await ask('GET', '/api/overview', session)).statusCode).toBe(401);
  });

  test('the overview tells all that the page shows', async () => {
    await start();
    const overview = (await ask('GET', '/api/overview', await logIn())).json();
    expect(overview).toMatchObject({
      ...{ bridge: 'b1', user: 'admin', paused: false, viewers: ['pacs'], counts: { failed: 1 } },
      shows: { patientNames: false, images: true },
      jobs: [{ id: job.id, failure: { code: 'SERIES_INCOMPLETE', details: [{ name: 'gaps', value: '1' }] } }],
    });
  });

  test('orders carry the name of who gave them', async () => {
    await start();
    const session = await logIn();
    for (const url of [`/api/jobs/${job.id}/replay`, '/api/pause', '/api/resume'])
      expect((await ask('POST', url, session)).statusCode).toBe(204);
    expect(orders).toEqual([`replay ${job.id} admin`, 'pause admin', 'resume admin']);
    expect((await ask('POST', '/api/jobs/0123456789abcdee/images/before', session)).statusCode).toBe(404);
    expect((await ask('GET', '/api/jobs/0123456789abcdee', session)).json()).toMatchObject({
      error: { code: 'JOB_UNKNOWN' },
    });
  });

  test('names of patients are told only where the configuration says so', async () => {
    await start();
    expect((await ask('GET', `/api/jobs/${job.id}/patient`, await logIn())).statusCode).toBe(404);
    await app.close();
    await start({ showPatientNames: true, showImages: false });
    const session = await logIn();
    expect((await ask('GET', `/api/jobs/${job.id}/patient`, session)).json()).toEqual({ name: 'DOE^JANE' });
    expect((await ask('GET', `/api/jobs/${job.id}/images/before`, session)).statusCode).toBe(404);
  });

  test('the viewer opens at the study', async () => {
    await start();
    const { statusCode, headers } = await ask('GET', `/jobs/${job.id}/viewer`, await logIn());
    expect([statusCode, headers.location]).toEqual([303, `https://v.org/1.2.3%2F4?o=${job.study}`]);
  });

  test('half an entry at the end of the audit trail is left out', async () => {
    await start();
    expect((await ask('GET', '/api/audit', await logIn())).json()).toEqual({
      entries: [{ number: 1, time: 't', event: 'started', who: 'b' }],
    });
  });

  test('rules are read from the box, with the line of a mistake', async () => {
    await start();
    const answer = await ask('POST', '/api/dry-run', {
      ...(await logIn()),
      payload: {
        rules: 'rules:\n  - name: a\n    action: { model: linear }\n    match: { kvp: { min: high } }',
      },
    });
    expect(answer.statusCode).toBe(422);
    expect(answer.json().error.message).toMatch(/line: 4, field: rules\.0\.match\.kvp/);
  });
});

describe('monitoring', () => {
  test('the bridge is ready when queue, host and an Orthanc answer; alive anyway', async () => {
    await start();
    expect((await ask('GET', '/readyz')).json()).toEqual({
      status: 'ready',
      peers: { queue: true, host: true, 'orthanc:pacs': true },
    });
    for (const peer of ['queue', 'host', 'orthanc:pacs']) {
      peers.set(peer, false);
      expect((await ask('GET', '/readyz')).statusCode).toBe(503);
      peers.set(peer, true);
    }
    peers.clear();
    expect((await ask('GET', '/readyz')).statusCode).toBe(503);
    expect((await ask('GET', '/healthz')).statusCode).toBe(200);
  });

  test('metrics ask for their token where there is one', async () => {
    await start({ metricsToken: 'for prometheus' });
    expect((await ask('GET', '/metrics')).statusCode).toBe(401);
    const headers = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });
    expect((await ask('GET', '/metrics', headers('for grafana'))).statusCode).toBe(401);
    expect((await ask('GET', '/metrics', headers('for prometheus'))).statusCode).toBe(200);
  });

  test('a hint of Orthanc wakes the bridge', async () => {
    await start();
    expect((await ask('POST', '/hooks/orthanc')).statusCode).toBe(204);
    expect(orders).toEqual(['nudge']);
  });
});
