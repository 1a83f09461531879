import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AuditEntry } from '@cipherdose/orthanc-bridge';
import { loadModel, startHost, type IntegerNetwork, type RunningHost } from '@cipherdose/server';
import { auditFile } from '#bridge/bridge.js';
import { connectHost } from '#bridge/host-client.js';
import { bridgeConfig } from '../support/bridge-config.ts';
import { allEnded, expectedHu, isDenoised, storedSeries } from '../support/bridge-fixture.ts';
import { bridgeSuite } from '../support/bridge-suite.ts';
import { writePrivateModel } from '../support/private-model-folder.ts';
import { privateNetwork } from '../support/private-network.ts';
import { clearResult, randomImage, smallPrivateNetwork } from '../support/private-session.ts';
import { RecordingProxy } from '../support/recording-proxy.ts';
import { syntheticSeries } from '../support/synthetic-series.ts';

const suite = bridgeSuite();
const models = mkdtempSync(join(tmpdir(), 'models-'));
let network: IntegerNetwork;
let host: RunningHost;
const proxy = new RecordingProxy();
let hostUrl: string;

beforeAll(async () => {
  await writePrivateModel(models, privateNetwork(smallPrivateNetwork));
  network = await loadModel(join(models, 'private', '1.0.0'));
  host = await startHost({ models, threads: 1 });
  hostUrl = await proxy.listen();
  proxy.target = host.url;
});
afterAll(async () => {
  await proxy.close();
  await host?.close();
  rmSync(models, { recursive: true });
});

const auditOf = (folder: string): AuditEntry[] =>
  readFileSync(auditFile(folder), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as AuditEntry);

test('a series in private mode is exact, over a connection that breaks; the mode is on record', async () => {
  const orthanc = await suite.orthanc();
  const config = await bridgeConfig({
    ...{ orthanc, hostUrl, model: 'private', action: { mode: 'private' }, watch: { backfill: true } },
  });
  proxy.requests.length = 0;
  const bridge = await suite.start(config);
  let broken = 0;
  bridge.events.on('progress', (_job, { slicesDone }) => {
    if (broken > 0 || slicesDone < 1) return;
    broken += proxy.sockets;
    proxy.breakSockets();
  });
  const slices = syntheticSeries(1, 4);
  for (const slice of slices) await orthanc.upload(slice);

  const [job] = await allEnded(() => bridge.jobs(), 1);
  expect(job).toMatchObject({ state: 'done', written: 4, action: { mode: 'private' } });
  expect(broken).toBe(1);
  const [source, derived] = await Promise.all([
    storedSeries(orthanc, (description) => !isDenoised(description)),
    storedSeries(orthanc, isDenoised),
  ]);
  expect(derived.map((each) => each.slices.length)).toEqual([4]);
  derived[0]?.slices.forEach(({ image }, index) => {
    const original = source[0]?.slices[index];
    if (!original) throw new Error('there is no source slice');
    expect(image.hu).toEqual(expectedHu(network, original));
    expect(image.hu).not.toEqual(original.image.hu);
  });

  // Nothing but questions for the model, tickets and sessions.
  const asked = new Set(proxy.requests.map(({ method, path }) => `${method} ${path}`));
  expect([...asked].sort()).toEqual([
    'GET /v1/models',
    'GET /v1/models/private',
    'GET /v1/private',
    'POST /v1/private/tickets',
  ]);
  const entries = auditOf(config.dataFolder).filter((entry) => entry.job === job?.id);
  expect(entries.map(({ event, mode }) => [event, mode])).toEqual([
    ['queued', 'private'],
    ['written', 'private'],
  ]);
  expect(entries[1]?.bytesUp).toBeGreaterThan(100_000);
});

test('a rule with a mode that the owner of the model does not allow: quarantined, and nothing is sent', async () => {
  const orthanc = await suite.orthanc();
  const config = await bridgeConfig({
    ...{ orthanc, hostUrl, model: 'private', action: { mode: 'interactive' }, watch: { backfill: true } },
  });
  proxy.requests.length = 0;
  const bridge = await suite.start(config);
  for (const slice of syntheticSeries(2, 2)) await orthanc.upload(slice);
  const [job] = await allEnded(() => bridge.jobs(), 1);
  expect(job).toMatchObject({ state: 'quarantined', errorCode: 'MODE_UNSUPPORTED', bytesUp: 0 });
  expect(proxy.requests.filter(({ method }) => method === 'POST')).toEqual([]);
});

test('sessions trust the certificates that the configuration names, as all requests do', async () => {
  const [certFile, keyFile] = [join(models, 'cert.pem'), join(models, 'key.pem')];
  const made = spawnSync('openssl', [
    ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1', '-subj', '/CN=127.0.0.1'],
    ...['-addext', 'subjectAltName=IP:127.0.0.1', '-out', certFile, '-keyout', keyFile],
  ]);
  expect(made.status).toBe(0);
  const secure = await startHost({ models, threads: 1, tls: { certFile, keyFile } });
  suite.atEnd(() => secure.close());
  expect(secure.url).toMatch(/^https:/);
  const image = randomImage(40, 30, 1);
  const settings = { timeoutSeconds: 20, workers: 1, slicesInFlight: 1 };
  const { client, close } = await connectHost({ url: secure.url, caFile: certFile, ...settings });
  suite.atEnd(close);
  const results = [];
  for await (const result of client.denoise(image, { model: 'private', mode: 'private' }))
    results.push(result);
  expect(results).toMatchObject([{ ok: true, image: { hu: clearResult(network, image) } }]);
});
