import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { randomInt } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { attributeText } from '#sdk/dicom/attributes.js';
import type { DataSet } from '#sdk/dicom/data-set.js';
import { tags } from '#sdk/dicom/tags.js';
import { openEmbeddedDatabase } from '#bridge/store/embedded-database.js';
import { loadModel, type LoadedModel } from '@cipherdose/server';
import { writeBridgeConfig } from '../support/bridge-config.ts';
import { expectedHu, prepareQueue, removeQueueTemplate, storedSeries } from '../support/bridge-fixture.ts';
import { startProcess, until, type TestProcess } from '../support/child-process.ts';
import { freePort } from '../support/free-port.ts';
import { startOrthanc, type TestOrthanc } from '../support/orthanc.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { syntheticSeries } from '../support/synthetic-series.ts';
import { writeTinyModel } from '../support/tiny-model-folder.ts';

// BRIDGE_KILLS, BRIDGE_SERIES and BRIDGE_SEED repeat or change a run.
const numberFrom = (name: string, fallback: number): number => Number(process.env[name] ?? fallback);
const kills = numberFrom('BRIDGE_KILLS', 50);
const seriesCount = numberFrom('BRIDGE_SERIES', 20);
const seed = numberFrom('BRIDGE_SEED', randomInt(2 ** 31));
/** Longest time between two kills. */
const longestPauseMs = 2000;

const main = (workspace: string): string =>
  fileURLToPath(new URL(`../../${workspace}/dist/main.js`, import.meta.url));

let models: string;
let network: LoadedModel;
let orthanc: TestOrthanc;
const running = new Map<string, TestProcess>();

beforeAll(async () => {
  models = mkdtempSync(join(tmpdir(), 'models-'));
  await writeTinyModel(models);
  network = await loadModel(join(models, 'tiny', '1.0.0'));
  orthanc = await startOrthanc();
});

afterAll(async () => {
  for (const child of running.values()) await child.end('SIGKILL');
  await orthanc.close();
  rmSync(models, { recursive: true });
  removeQueueTemplate();
});

test(
  `${kills} kills at random while ${seriesCount} series flow lose nothing and make nothing twice`,
  async () => {
    process.stdout.write(`kill test: BRIDGE_SEED=${seed}\n`);
    const random = seededRandom(seed);
    const port = await freePort();
    const host = [main('server'), '--models', models, '--port', String(port), '--open'];
    const config = writeBridgeConfig({
      orthanc,
      hostUrl: `http://127.0.0.1:${port}`,
      watch: { backfill: true },
      settings: { logLevel: 'info' },
    });
    const folder = join(config, '..');
    await prepareQueue(folder);
    const start = {
      host: async () => void running.set('host', await startProcess(process.execPath, host)),
      bridge: async () => {
        running.set(
          'bridge',
          await startProcess(process.execPath, [main('orthanc-bridge'), '--config', config]),
        );
      },
    };
    await start.host();
    await start.bridge();

    const sources = Array.from({ length: seriesCount }, (_, index) =>
      syntheticSeries(index, 20 + random(20)),
    );
    const sending = sendAll(sources, kills * longestPauseMs * 0.5);
    const count = { bridge: 0, host: 0, orthanc: 0 };
    for (let kill = 0; kill < kills; kill++) {
      await pause(random(longestPauseMs));
      const victim = (['bridge', 'host', 'orthanc'] as const)[random(3)] ?? 'bridge';
      count[victim]++;
      if (victim === 'orthanc') await orthanc.restart('SIGKILL');
      else {
        expect(running.get(victim)?.exited ? running.get(victim)?.output() : '').toBe('');
        await running.get(victim)?.end('SIGKILL');
        await start[victim]();
      }
    }
    await sending;
    await until(
      () => `all series marked; bridge: ${running.get('bridge')?.output().slice(-3000)}`,
      async () => (await markedSources()) === seriesCount,
      180,
    );
    await running.get('bridge')?.end('SIGTERM');
    running.delete('bridge');
    const attempts = await attemptsIn(folder);
    process.stdout.write(`kill test: ${JSON.stringify({ ...count, attempts })}\n`);

    const stored = await storedSeries(orthanc);
    expect(stored).toHaveLength(2 * seriesCount);
    for (const source of stored.filter(({ description }) => description === 'Chest')) {
      const uids = new Set(source.slices.map(({ sopInstanceUid }) => sopInstanceUid));
      const derived = stored.filter(
        ({ id, slices }) => id !== source.id && slices.some((slice) => uids.has(sourceOf(slice.dataSet))),
      );
      expect(derived.map(({ slices }) => slices.length)).toEqual([source.slices.length]);
      for (const [index, slice] of source.slices.entries())
        expect(derived[0]?.slices[index]?.image.hu).toEqual(expectedHu(network, slice));
    }
    expect(
      stored
        .filter(({ description }) => description === 'Chest')
        .map(({ slices }) => slices.length)
        .sort(),
    ).toEqual(sources.map(({ length }) => length).sort());
    rmSync(folder, { recursive: true });
  },
  kills * longestPauseMs + 400_000,
);

/** Sends all series, spread over a time, each slice again and again until Orthanc has it. */
async function sendAll(sources: readonly (readonly Uint8Array[])[], spreadMs: number): Promise<void> {
  for (const slices of sources) {
    for (const slice of slices)
      await until(
        'Orthanc takes a slice',
        () =>
          orthanc.upload(slice).then(
            () => true,
            () => false,
          ),
        60,
      );
    await pause(spreadMs / sources.length);
  }
}

/** How often jobs were started, all together; what is above one for each series was interrupted. */
async function attemptsIn(dataFolder: string): Promise<number> {
  const database = await openEmbeddedDatabase(dataFolder);
  const [row] = await database.query<{ runs: number }>('select sum(runs)::int as runs from bridge.job');
  await database.close();
  return row?.runs ?? 0;
}

/** How many series carry the mark that the bridge puts on a source at the very end. */
async function markedSources(): Promise<number> {
  const series = await orthanc.get<string[]>('/series');
  const marks = await Promise.all(series.map(async (id) => orthanc.get<string[]>(`/series/${id}/metadata`)));
  return marks.filter((names) => names.includes('5002')).length;
}

/** SOP Instance UID in the Source Image Sequence. */
function sourceOf(dataSet: DataSet): string {
  const [item] = dataSet.get(tags.sourceImageSequence)?.items ?? [];
  return item ? (attributeText(item, tags.referencedSopInstanceUid) ?? '') : '';
}

const pause = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));
