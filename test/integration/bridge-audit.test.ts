import { expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { AuditEntry } from '@cipherdose/orthanc-bridge';
import { auditFile } from '#bridge/bridge.js';
import { bridgeConfig } from '../support/bridge-config.ts';
import { allEnded } from '../support/bridge-fixture.ts';
import { bridgeSuite } from '../support/bridge-suite.ts';
import { until } from '../support/child-process.ts';
import { RecordingProxy } from '../support/recording-proxy.ts';
import { syntheticSeries } from '../support/synthetic-series.ts';

const suite = bridgeSuite();

test('a series that fails half-way and is replayed: every byte is on record, and somebody is told', async () => {
  const told: string[] = [];
  const chat = createServer((request, response) => {
    void text(request).then((body) => {
      told.push(body);
      response.writeHead(204).end();
    });
  });
  await new Promise<void>((resolve) => chat.listen(0, '127.0.0.1', resolve));
  suite.atEnd(() => void chat.close());
  const proxy = new RecordingProxy();
  const hostUrl = await proxy.listen();
  suite.atEnd(() => proxy.close());
  proxy.target = suite.tiny.host.url;
  proxy.frameDelayMs = 100;
  const orthanc = await suite.orthanc();
  const config = await bridgeConfig({
    ...{ orthanc, hostUrl, queue: { attempts: 1 }, watch: { backfill: true } },
    settings: {
      alerts: {
        url: `http://127.0.0.1:${(chat.address() as AddressInfo).port}/`,
        groupSeconds: 0.1,
      },
    },
  });
  const bridge = await suite.start(config);
  bridge.events.on('progress', (_job, { slicesDone }) => (proxy.refuseFrames ||= slicesDone === 2));
  for (const slice of syntheticSeries(1, 12)) await orthanc.upload(slice);

  const [failed] = await allEnded(() => bridge.jobs(), 1);
  expect(failed).toMatchObject({ state: 'failed', errorCode: 'REQUEST_INVALID' });
  expect(failed?.bytesUp).toBeGreaterThan(0);
  expect(await orthanc.get<string[]>('/series')).toHaveLength(1);
  await until('it is told', () => told.length === 1);
  expect(JSON.parse(told[0] ?? '')).toMatchObject({
    text: `test: Series failed: REQUEST_INVALID (job ${failed?.id})`,
    alerts: [{ kind: 'series-failed', rule: 'all' }],
  });
  for (const secret of [failed?.series, failed?.study, failed?.derivedSeriesUid, '2.25.'])
    expect(told[0]).not.toContain(secret);

  bridge.events.removeAllListeners('progress');
  [proxy.refuseFrames, proxy.frameDelayMs] = [false, 0];
  await bridge.replay(failed?.id ?? '', 'admin');
  const [done] = await allEnded(() => bridge.jobs(), 1);
  expect(done).toMatchObject({ state: 'done', written: 12 });

  const trail = readFileSync(auditFile(config.dataFolder), 'utf8').trim().split('\n');
  const entries = trail.map((line) => JSON.parse(line) as AuditEntry);
  expect(entries.map(({ event, who }) => [event, who])).toEqual([
    ['started', 'test'],
    ['queued', 'test'],
    ['interrupted', 'test'],
    ['failed', 'test'],
    ['replayed', 'admin'],
    ['written', 'test'],
  ]);
  for (const { job, model, digest } of entries.slice(1))
    expect([job, model, digest]).toEqual([done?.id, 'tiny', done?.digest]);
  const sum = (name: 'bytesUp' | 'bytesDown'): number =>
    entries.reduce((bytes, entry) => bytes + (entry[name] ?? 0), 0);
  expect([sum('bytesUp'), sum('bytesDown')]).toEqual([done?.bytesUp, done?.bytesDown]);
  expect(sum('bytesUp')).toBeGreaterThan(entries.at(-1)?.bytesUp ?? 0);
});
