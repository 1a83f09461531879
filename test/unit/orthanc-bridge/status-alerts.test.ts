import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { alertSchema } from '#bridge/status/alerts/alert-schema.js';
import { AlertWatch, type AlertFacts } from '#bridge/status/alerts/alert-watch.js';
import { AlertWebhook, composeMessage, type AlertMessage } from '#bridge/status/alerts/alert-webhook.js';
import { until } from '../../support/child-process.ts';
import { testJob } from '../../support/test-job.ts';

const minute = 60_000;
const limits = { downMinutes: 5, waitingMinutes: 60, diskFreeMegabytes: 100 };
const facts: AlertFacts = { clock: 0, freeMegabytes: 1000, longestWaitSeconds: 0, paused: false };
const kinds = (alerts: readonly { kind: string }[]): string[] => alerts.map(({ kind }) => kind);

describe('what is told', () => {
  test('series that are given up, without a word about the patient', () => {
    const watch = new AlertWatch(limits);
    for (const state of ['queued', 'running', 'done'] as const)
      expect(watch.job(testJob({ state }))).toEqual([]);
    const job = testJob({ state: 'quarantined', errorCode: 'SERIES_MIXED', errorDetails: { secret: 'DOE' } });
    const alerts = watch.job(job);
    expect(kinds(alerts)).toEqual(['series-quarantined']);
    expect(alerts[0]).toMatchObject({ job: job.id, rule: 'all', code: 'SERIES_MIXED' });
    const text = JSON.stringify(composeMessage(alerts, 'b1', new Date(0)));
    for (const secret of [job.series, job.study, '2.25.1', 'DOE']) expect(text).not.toContain(secret);
  });

  test('a peer that stays away, once, and that it is back', () => {
    const watch = new AlertWatch(limits);
    expect(watch.peer('host', false, 0)).toEqual([]);
    expect(watch.look({ ...facts, clock: 5 * minute - 1 })).toEqual([]);
    expect(kinds(watch.look({ ...facts, clock: 5 * minute }))).toEqual(['peer-down']);
    expect(watch.look({ ...facts, clock: 50 * minute })).toEqual([]);
    expect(kinds(watch.peer('host', true, 51 * minute))).toEqual(['peer-up']);
  });

  test('nothing of a peer that was away for a moment', () => {
    const watch = new AlertWatch(limits);
    watch.peer('orthanc:pacs', false, 0);
    expect(watch.peer('orthanc:pacs', true, minute)).toEqual([]);
    expect(watch.look({ ...facts, clock: 60 * minute })).toEqual([]);
  });

  test('a full disk and a long wait, once each, and their end; no wait while paused', () => {
    const watch = new AlertWatch(limits);
    expect(watch.look(facts)).toEqual([]);
    const bad = { ...facts, freeMegabytes: 99, longestWaitSeconds: 3601 };
    expect(kinds(watch.look({ ...bad, paused: true }))).toEqual(['disk-low']);
    expect(kinds(watch.look(bad))).toEqual(['waiting-long']);
    expect(watch.look(bad)).toEqual([]);
    expect(kinds(watch.look(facts))).toEqual(['disk-ok', 'waiting-ok']);
    expect(
      new AlertWatch({ ...limits, waitingMinutes: 0 }).look({ ...facts, longestWaitSeconds: 1e9 }),
    ).toEqual([]);
  });
});

describe('the webhook', () => {
  let server: Server;
  let url: string;
  let status: number[];
  let messages: (AlertMessage & { authorization: string | undefined })[];
  let outcomes: boolean[];

  beforeEach(async () => {
    [status, messages, outcomes] = [[], [], []];
    server = createServer((request, response) => {
      void json(request).then((body) => {
        messages.push({ ...(body as AlertMessage), authorization: request.headers.authorization });
        response.writeHead(status.shift() ?? 204).end();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/alerts`;
  });
  afterEach(() => void server.close());

  const open = (settings: Record<string, unknown> = {}): Promise<AlertWebhook> =>
    AlertWebhook.create(alertSchema.parse({ url, groupSeconds: 0.05, ...settings }), {
      ...{ bridge: 'b1', now: () => new Date(0), firstRetryMs: 10 },
      onSent: (arrived) => void outcomes.push(arrived),
    });
  const alert = (text: string) => ({ kind: 'peer-down', text, peer: 'host' }) as const;

  test('gets what happens together in one message, with the token', async () => {
    const webhook = await open({ token: 'secret' });
    webhook.send([alert('one')]);
    webhook.send([alert('two')]);
    await until('it is sent', () => outcomes.length === 1);
    await webhook.close();
    expect(messages).toEqual([
      {
        ...{ text: 'b1: one\nb1: two', bridge: 'b1', time: '1970-01-01T00:00:00.000Z', more: 0 },
        ...{ alerts: [alert('one'), alert('two')], authorization: 'Bearer secret' },
      },
    ]);
  });

  test('is asked again until it takes the message', async () => {
    status = [500, 503];
    const webhook = await open();
    webhook.send([alert('one')]);
    await until('it is sent', () => outcomes.length === 1);
    expect([outcomes, messages.length]).toEqual([[true], 3]);
    await webhook.close();
  });

  test('gets what waits when the bridge ends; what it does not take then is counted as lost', async () => {
    const webhook = await open({ groupSeconds: 60 });
    webhook.send([alert('one')]);
    await webhook.close();
    expect([outcomes, messages.length]).toEqual([[true], 1]);

    status = [500];
    const second = await open({ groupSeconds: 60 });
    second.send([alert('two')]);
    await second.close();
    second.send([alert('too late')]);
    expect([outcomes, messages.length]).toEqual([[true, false], 2]);
  });

  test('lists fifty at most', () => {
    const message = composeMessage(
      Array.from({ length: 60 }, () => alert('x')),
      'b',
      new Date(0),
    );
    expect([message.alerts.length, message.more]).toEqual([50, 10]);
    expect(message.text.endsWith('and 10 more')).toBe(true);
  });
});
