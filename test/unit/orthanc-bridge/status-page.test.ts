import { describe, expect, test } from '@jest/globals';
import { PNG } from 'pngjs';
import { modeDisclosure } from '@cipherdose/sdk';
import { BridgeEvents, type JobRecord, type SeriesProgress } from '@cipherdose/orthanc-bridge';
import { failureKind } from '#bridge/job/failure-kind.js';
import { jobFacts } from '#bridge/job/attempt-job.js';
import { createMetrics } from '#bridge/metrics.js';
import { Peers } from '#bridge/peers.js';
import { addHealthMetrics } from '#bridge/status/health-metrics.js';
import { liveMessages } from '#bridge/status/live-messages.js';
import { PageState } from '#bridge/status/page/bridge-state.js';
import { columns } from '#bridge/status/page/history-plots.js';
import { bytes, duration } from '#bridge/status/page/format.js';
import { parseRules } from '#bridge/status/parse-rules.js';
import { greyPng } from '#bridge/status/series-images.js';
import { statusSchema } from '#bridge/status/status-schema.js';
import { viewJob, type Overview } from '#bridge/status/views.js';
import { hashPassword } from '#bridge/status/passwords.js';
import type { JobStore } from '#bridge/store/job-store.js';
import { testJob } from '../../support/test-job.ts';

const progress = (slicesDone: number, bytesUp: number): SeriesProgress => ({
  ...{ slicesDone, slices: 4, secondsLeft: 1, bytesUp, bytesDown: bytesUp },
});

describe('live messages', () => {
  test('tell a slow reader the newest of each job only, and no progress of a job that has ended', async () => {
    const events = new BridgeEvents();
    const stop = new AbortController();
    const messages = liveMessages(events, stop.signal);
    const first = messages.next();
    events.emit('job', testJob({ state: 'running' }));
    for (let slice = 0; slice < 100; slice++) events.emit('progress', testJob().id, progress(slice, slice));
    expect((await first).value).toMatchObject({ event: 'job', data: { state: 'running' } });
    const second = messages.next();
    expect((await second).value).toMatchObject({ event: 'progress', data: { slicesDone: 99 } });
    const third = messages.next();
    events.emit('progress', testJob().id, progress(3, 3));
    events.emit('job', testJob());
    events.emit('peer', 'host', false);
    events.emit('paused', true);
    expect((await third).value).toMatchObject({ event: 'job', data: { state: 'done' } });
    expect((await messages.next()).value).toEqual({
      event: 'peer',
      data: { name: 'host', reachable: false },
    });
    expect((await messages.next()).value).toEqual({ event: 'paused', data: { paused: true } });
    stop.abort();
    expect((await messages.next()).done).toBe(true);
    expect(events.listenerCount('job')).toBe(0);
  });
});

describe('the page', () => {
  const overview = (jobs: readonly JobRecord[]): Overview => ({
    ...{ bridge: 'b', version: '1', user: 'u', paused: false, peers: [], viewers: [], orthancs: [] },
    counts: { queued: 1, running: 0, done: 0, failed: 0, quarantined: 0 },
    disk: { freeMegabytes: 1, watermarkMegabytes: 0 },
    shows: { patientNames: false, images: true },
    jobs: jobs.map((job) => viewJob(job)),
  });

  test('follows a job and counts it once', () => {
    const state = new PageState(overview([testJob({ state: 'queued' })]));
    expect(state.apply({ event: 'job', data: viewJob(testJob({ state: 'running' })) })).toBe(true);
    state.apply({
      event: 'progress',
      data: { id: testJob().id, slicesDone: 2, slices: 4, bytesUp: 1, bytesDown: 1 },
    });
    expect(state.apply({ event: 'job', data: viewJob(testJob({ state: 'running' })) })).toBe(false);
    expect(state.jobs('running')[0]?.progress?.slicesDone).toBe(2);
    state.apply({ event: 'job', data: viewJob(testJob()) });
    expect(state.jobs('done')[0]?.progress).toBeUndefined();
    expect(state.overview.counts).toMatchObject({ queued: 0, running: 0, done: 1 });
  });

  test('says in which mode a series is denoised, and what that means', () => {
    expect(viewJob(testJob())).toMatchObject({ mode: undefined, learns: undefined });
    const job = testJob({ action: { ...testJob().action, mode: 'private' } });
    expect(viewJob(job)).toMatchObject({ mode: 'private', learns: modeDisclosure.private });
    expect(jobFacts(job)).toMatchObject({ mode: 'private' });
    expect(jobFacts(testJob())).not.toHaveProperty('mode');
  });

  test('shows what goes next first', () => {
    const waiting = (id: string, priority: number, seconds: number): JobRecord =>
      testJob({
        id,
        state: 'queued',
        action: { ...testJob().action, priority },
        queuedOn: new Date(seconds * 1000),
      });
    const state = new PageState(
      overview([waiting('late', 0, 9), waiting('first', 5, 8), waiting('early', 0, 1)]),
    );
    expect(state.jobs('queued').map(({ id }) => id)).toEqual(['first', 'early', 'late']);
  });

  test('draws columns in which nothing happened too', () => {
    const bucket = {
      start: new Date(7_200_000).toISOString(),
      series: 1,
      slices: 2,
      bytesUp: 3,
      bytesDown: 4,
    };
    const drawn = columns({ bucketMinutes: 60, buckets: [bucket] }, 3, 10_900_000);
    expect(drawn.times).toEqual([3600, 7200, 10_800]);
    expect(drawn.buckets).toEqual([undefined, bucket, undefined]);
  });

  test('writes figures for people', () => {
    expect([999, 1_500_000, 23_456_789, 2.5e9].map(bytes)).toEqual(['1 kB', '1.5 MB', '23 MB', '2.5 GB']);
    expect([0.4, 59, 61, 3600, 7260].map(duration)).toEqual([
      '0 s',
      '59 s',
      '1 min',
      '1 h 0 min',
      '2 h 1 min',
    ]);
  });
});

test('a picture has black and white where the window ends', () => {
  const hu = Int16Array.from([-3000, -160, 40, 240, 3000, -160]);
  const { width, height, data } = PNG.sync.read(
    greyPng({ width: 3, height: 2, hu }, { low: -160, high: 240 }),
  );
  expect([width, height]).toEqual([3, 2]);
  expect([0, 4, 8, 12, 16, 20].map((at) => data[at])).toEqual([0, 0, 128, 255, 255, 0]);
});

describe('metrics', () => {
  const store = { counts: async () => ({ queued: 2, running: 0, done: 1, failed: 0, quarantined: 0 }) };

  test('count every byte that was sent once, also of runs that fail', async () => {
    const events = new BridgeEvents();
    const registry = createMetrics(events, store as unknown as JobStore, new Peers(events));
    for (const sent of [10, 30, 30, 5, 20]) events.emit('progress', 'a', progress(1, sent));
    events.emit('progress', 'b', progress(1, 7));
    events.emit('job', testJob({ id: 'a', bytesUp: 50 }));
    const text = await registry.metrics();
    expect(text).toContain('cipherdose_bridge_bytes_up_total 57\n');
    expect(text).toContain('cipherdose_bridge_slices_total 4\n');
    expect(text).toContain('cipherdose_bridge_jobs{state="queued"} 2\n');
    expect(text).toContain('cipherdose_bridge_series_total{state="done",rule="all"} 1\n');
  });

  test('tell whether the bridge can work', async () => {
    const events = new BridgeEvents();
    const registry = createMetrics(events, store as unknown as JobStore, new Peers(events));
    const onSent = addHealthMetrics(registry, {
      ...{ dataFolder: '.', diskFreeMegabytes: 3, paused: () => true, longestWait: async () => 12 },
    });
    onSent(false);
    const text = await registry.metrics();
    for (const line of ['disk_watermark_bytes 3145728', 'paused 1', 'longest_wait_seconds 12'])
      expect(text).toContain(`cipherdose_bridge_${line}\n`);
    expect(text).toContain('cipherdose_bridge_alert_messages_total{outcome="lost"} 1\n');
    expect(text).toMatch(/cipherdose_bridge_disk_free_bytes [1-9]/);
  });
});

describe('settings', () => {
  test('rules in the box do not read the environment', () => {
    const [rule] = parseRules('rules: [{ name: "${ENV:PATH}", action: { model: linear } }]');
    expect(rule?.name).toBe('${ENV:PATH}');
  });

  test('passwords do not cross a network in the clear', async () => {
    const users = [{ name: 'a', passwordHash: await hashPassword('x') }];
    const reasons = (settings: object): string[] =>
      statusSchema.safeParse({ users, ...settings }).error?.issues.map(({ path }) => path.join('.')) ?? [];
    expect(reasons({})).toEqual([]);
    expect(reasons({ host: '0.0.0.0' })).toEqual(['host']);
    expect(reasons({ host: '0.0.0.0', behindProxy: true })).toEqual([]);
    expect(reasons({ users: [{ name: 'a', passwordHash: 'plain text' }] })).toEqual(['users.0.passwordHash']);
    expect(reasons({ users: [...users, ...users] })).toEqual(['users']);
  });
});

test('failures of private mode: what is waited for, what the series is to blame for, and what is tried a few times', () => {
  expect(failureKind('QUOTA_EXCEEDED')).toBe('outage');
  expect(failureKind('SESSION_IDLE')).toBe('outage');
  expect(failureKind('SLICE_TOO_LARGE')).toBe('quarantine');
  expect(failureKind('TICKET_INVALID')).toBe('failure');
  expect(failureKind('TWO_PARTY_REPLAYED')).toBe('failure');
});
