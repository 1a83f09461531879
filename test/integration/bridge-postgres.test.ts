import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Client } from 'pg';
import { startHost } from '@cipherdose/server';
import type { AuditEntry } from '@cipherdose/orthanc-bridge';
import { auditFile } from '#bridge/bridge.js';
import { bridgeConfig, writeBridgeConfig } from '../support/bridge-config.ts';
import { allEnded, storedSeries } from '../support/bridge-fixture.ts';
import { bridgeSuite } from '../support/bridge-suite.ts';
import { startProcess, until } from '../support/child-process.ts';
import { freePort } from '../support/free-port.ts';
import { startPostgres, type TestPostgres } from '../support/postgres.ts';
import { syntheticSeries } from '../support/synthetic-series.ts';

const bridgeProgram = fileURLToPath(new URL('../../orthanc-bridge/dist/main.js', import.meta.url));
const suite = bridgeSuite();
let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.close());

async function sql(text: string): Promise<number> {
  const client = new Client({ connectionString: postgres.url });
  await client.connect();
  const { rowCount } = await client.query(text);
  await client.end();
  return rowCount ?? 0;
}

test('two bridges on one PostgreSQL share the work, and nothing is done twice', async () => {
  const orthanc = await suite.orthanc();
  const configFor = (name: string) =>
    bridgeConfig({
      ...{ orthanc, hostUrl: suite.tiny.host.url, watch: { backfill: true } },
      queue: { postgres: postgres.url },
      settings: { name },
    });
  const configs = [await configFor('first'), await configFor('second')];
  const bridges = await Promise.all(configs.map((config) => suite.start(config)));
  for (let series = 0; series < 10; series++)
    for (const slice of syntheticSeries(series, 3)) await orthanc.upload(slice);
  const jobs = await allEnded(() => (bridges[0] as (typeof bridges)[0]).jobs(), 10, 100);
  expect(jobs.map(({ state, runs, slices }) => [state, runs, slices])).toEqual(
    jobs.map(() => ['done', 1, 3]),
  );

  const written = configs.map(({ dataFolder }) =>
    readFileSync(auditFile(dataFolder), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as AuditEntry)
      .filter(({ event }) => event === 'written'),
  );
  for (const entries of written) expect(entries.length).toBeGreaterThan(0);
  expect(new Set(written.flat().map(({ job }) => job)).size).toBe(10);
  expect(written.flat()).toHaveLength(10);
  expect((await storedSeries(orthanc)).map(({ slices }) => slices.length)).toEqual(Array(20).fill(3));
});

test('what a killed bridge had begun is finished by another one', async () => {
  await sql('drop schema if exists bridge, pgboss cascade');
  const orthanc = await suite.orthanc();
  const options = {
    ...{ orthanc, hostUrl: suite.tiny.host.url, watch: { backfill: true } },
    queue: { postgres: postgres.url, heartbeatSeconds: 10 },
  };
  for (const slice of syntheticSeries(1, 40)) await orthanc.upload(slice);
  const file = writeBridgeConfig({ ...options, settings: { name: 'killed', logLevel: 'info' } });
  const killed = await startProcess(process.execPath, [bridgeProgram, '--config', file]);
  suite.atEnd(() => killed.end('SIGKILL'));
  await until(
    () => killed.output(),
    async () => (await orthanc.get<string[]>('/instances')).length > 45,
  );
  await killed.end('SIGKILL');
  const bridge = await suite.start(await bridgeConfig({ ...options, settings: { name: 'heir' } }));
  const [job] = await allEnded(() => bridge.jobs(), 1, 100);
  expect(job).toMatchObject({ state: 'done', runs: 2, slices: 40, written: 40 });
  expect((await storedSeries(orthanc)).map(({ slices }) => slices.length)).toEqual([40, 40]);
});

test('a clock that was set back holds up no waiting job', async () => {
  await sql('drop schema if exists bridge, pgboss cascade');
  const port = await freePort();
  const orthanc = await suite.orthanc();
  const { models } = suite.tiny;
  const host = await startHost({ models, threads: 1, port });
  suite.atEnd(() => host.close());
  const config = await bridgeConfig({
    ...{ orthanc, hostUrl: `http://127.0.0.1:${port}`, watch: { backfill: true } },
    queue: { postgres: postgres.url },
  });
  const bridge = await suite.start(config);
  await bridge.pause('a test');
  for (const slice of syntheticSeries(1, 2)) await orthanc.upload(slice);
  await until('queued', async () => (await bridge.queueCounts()).queued === 1);
  // What the row looks like after the clock went back by an hour.
  expect(
    await sql(`update pgboss.job set created_on = created_on + interval '1 hour',
      start_after = start_after + interval '1 hour' where name = 'series' and state = 'created'`),
  ).toBe(1);
  await bridge.resume('a test');
  expect(await allEnded(() => bridge.jobs(), 1, 30)).toMatchObject([{ state: 'done' }]);
});
