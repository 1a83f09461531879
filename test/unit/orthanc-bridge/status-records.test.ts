import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkDisk } from '#bridge/job/attempt-job.js';
import { openEmbeddedDatabase } from '#bridge/store/embedded-database.js';
import { createTables } from '#bridge/store/schema.js';
import { jobHistory, longestWait } from '#bridge/store/job-history.js';
import { JobStore } from '#bridge/store/job-store.js';
import { bridgeConfig } from '../../support/bridge-config.ts';

let folder: string;
let database: Awaited<ReturnType<typeof openEmbeddedDatabase>>;
let jobs: JobStore;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'records-'));
  database = await openEmbeddedDatabase(folder);
  await createTables(database);
  jobs = new JobStore(database);
  // id, state, hours since its end, slices, bytes
  const rows = [
    ['done-now', 'done', 0, 3, 100],
    ['done-too', 'done', 0, 2, 50],
    ['done-yesterday', 'done', 23, 7, 10],
    ['done-old', 'done', 24 * 40, 9, 1],
    ['failed-old', 'failed', 24 * 40, 9, 1],
    ['quarantined-new', 'quarantined', 1, 9, 1],
    ['waiting', 'queued', undefined, undefined, 0],
  ] as const;
  for (const [id, state, hours, slices, bytes] of rows)
    await database.query(
      `insert into bridge.job (id, orthanc, series, study, model, version, digest, rule, action, state, source_state,
         instances, slices, bytes_up, bytes_down, queued_on, finished_on)
       values ($1, 'pacs', $1, 's', 'm', '1', 'd', 'r', '{}', $2, '', 1, $3, $4, $4, now() - interval '2 hours',
         case when $5::int is null then null
           else date_trunc('hour', now()) + interval '1 second' - make_interval(hours => $5::int) end)`,
      [id, state, slices ?? null, bytes, hours ?? null],
    );
}, 60_000);
afterAll(async () => {
  await database.close();
  rmSync(folder, { recursive: true });
});

describe('records', () => {
  test('of throughput count what was done, by the hour', async () => {
    const history = await jobHistory(database, 24, 60);
    expect(
      history.map(({ series, slices, bytesUp, bytesDown }) => [series, slices, bytesUp, bytesDown]),
    ).toEqual([
      [1, 7, 10, 10],
      [2, 5, 150, 150],
    ]);
    const [first, last] = history.map(({ start }) => start.getTime());
    expect(((last ?? 0) - (first ?? 0)) / 3_600_000).toBe(23);
    expect((first ?? 1) % 3_600_000).toBe(0);
  });

  test('tell how long a series waits', async () => {
    const seconds = await longestWait(database);
    expect(Math.round(seconds / 60)).toBe(120);
  });

  test('are forgotten after their time, those of failures after theirs, what waits never', async () => {
    const ids = async (): Promise<string[]> => (await jobs.list()).map(({ id }) => id).sort();
    expect(await jobs.forget(['done'], 30)).toBe(1);
    expect(await ids()).toEqual(
      ['done-now', 'done-too', 'done-yesterday', 'failed-old', 'quarantined-new', 'waiting'].sort(),
    );
    expect(await jobs.forget(['failed', 'quarantined'], 30)).toBe(1);
    expect(await jobs.forget(['done', 'failed', 'quarantined'], 2)).toBe(0);
    expect(await ids()).toEqual(
      ['done-now', 'done-too', 'done-yesterday', 'quarantined-new', 'waiting'].sort(),
    );
  });
});

test('no series starts when the disk is fuller than it may be', async () => {
  const config = await bridgeConfig({
    orthanc: { url: 'http://127.0.0.1:9', username: 'u', password: 'p' },
    hostUrl: 'http://127.0.0.1:9',
  });
  const withRoom = (diskFreeMegabytes: number) => ({
    ...config,
    limits: { ...config.limits, diskFreeMegabytes },
  });
  await checkDisk(withRoom(0));
  await expect(checkDisk(withRoom(10_000_000))).rejects.toMatchObject({
    code: 'DISK_WATERMARK',
    details: { wanted: 10_000_000 },
  });
});
