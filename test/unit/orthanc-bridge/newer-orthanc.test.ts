import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parseConfig } from '@cipherdose/orthanc-bridge';
import { OrthancClient } from '#bridge/orthanc/orthanc-client.js';
import type { FeedStore } from '#bridge/store/feed-store.js';
import { OrthancTarget } from '#bridge/target/orthanc-target.js';
import { OrthancWatcher, type WatcherTools } from '#bridge/watch/watcher.js';

/** Answers as Orthanc does, for what Debian's version cannot do: a feed filtered by type, and labels. */
let server: Server;
let extended = true;
let asked: string[] = [];
let orthanc: OrthancClient;

const answers: Readonly<Record<string, (query: string) => unknown>> = {
  '/system': () => ({
    ...{ Name: 'new', Version: '1.12.9', HasLabels: extended },
    Capabilities: { HasExtendedChanges: extended },
  }),
  '/changes': (query) =>
    query === 'last'
      ? { Changes: [], Done: true, Last: 50 }
      : {
          Changes: [{ ChangeType: 'NewSeries', ID: 'a', ResourceType: 'Series', Seq: 10 }],
          Done: true,
          Last: 10,
        },
  '/tools/find': () => [],
  '/tools/lookup': () => [{ ID: 'derived', Type: 'Series' }],
};

beforeAll(async () => {
  server = createServer((request, response) => {
    const [path = '', query = ''] = (request.url ?? '').split('?');
    asked.push(`${request.method} ${request.url}`);
    response.end(JSON.stringify(answers[path]?.(query) ?? {}));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const text = JSON.stringify({ host: { url }, orthancs: [{ name: 'new', url }], rules: [] });
  const config = await parseConfig(text, { file: 'test', folder: '.', environment: {} });
  orthanc = await OrthancClient.create(config.orthancs[0] as (typeof config.orthancs)[0]);
});
beforeEach(() => {
  asked = [];
});
afterAll(async () => {
  await orthanc.close();
  server.close();
});

/** Remembers the cursor and the marked series, nothing else. */
function watch() {
  const state = { seq: 0, series: [] as string[] };
  const feed = {
    position: async () => ({ seq: state.seq, ready: true }),
    advance: async (_name: string, seq: number, series: readonly string[]) => {
      state.seq = seq;
      state.series.push(...series);
    },
    pending: async () => [],
  } as unknown as FeedStore;
  const settings = { pollSeconds: 1, settleSeconds: 0, reconcileMinutes: 1, backfill: true };
  const watcher = new OrthancWatcher(orthanc, settings, { feed } as WatcherTools, () => 0);
  return { watcher, state };
}

test('a feed that can be filtered is, and is read up to its end once', async () => {
  extended = true;
  const { watcher, state } = watch();
  await watcher.tick();
  expect(asked).toContain('GET /changes?since=0&limit=200&type=NewSeries;NewInstance;StableSeries');
  expect(state).toEqual({ seq: 50, series: ['a'] });
  asked = [];
  await watcher.tick();
  expect(asked).toEqual(['GET /changes?last']);
});

test('an older Orthanc is asked for everything', async () => {
  extended = false;
  const { watcher } = watch();
  await watcher.tick();
  expect(asked).toContain('GET /changes?since=0&limit=200');
});

test.each([true, false])('the derived series gets a label if labels are there (%s)', async (labels) => {
  extended = labels;
  expect(await new OrthancTarget(orthanc).mark('2.25.1', { text: 'x' })).toBe('derived');
  expect(asked).toContain('PUT /series/derived/metadata/5001');
  expect(asked.includes('PUT /series/derived/labels/denoised')).toBe(labels);
});
