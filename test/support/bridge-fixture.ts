import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { blend } from '@cipherdose/sdk/image';
import { readCtSlice, type CtSlice } from '@cipherdose/sdk/dicom';
import {
  evaluateClear,
  loadModel,
  startHost,
  type IntegerNetwork,
  type RunningHost,
} from '@cipherdose/server';
import type { JobRecord } from '@cipherdose/orthanc-bridge';
import { openEmbeddedDatabase } from '#bridge/store/embedded-database.js';
import { until } from './child-process.ts';
import type { TestOrthanc } from './orthanc.ts';
import { writeTinyModel } from './tiny-model-folder.ts';

/** A host in this process that offers the model `tiny`, and the same network for the clear evaluator. */
export interface TinyHost {
  readonly models: string;
  readonly network: IntegerNetwork;
  readonly host: RunningHost;
}

export async function startTinyHost(): Promise<TinyHost> {
  const models = mkdtempSync(join(tmpdir(), 'models-'));
  await writeTinyModel(models);
  const network = await loadModel(join(models, 'tiny', '1.0.0'));
  return { models, network, host: await startHost({ models, threads: 1 }) };
}

let template: string | undefined;

/** Fills a data folder with an empty queue: making one anew takes many seconds. */
export async function prepareQueue(dataFolder: string): Promise<void> {
  if (template === undefined) {
    template = mkdtempSync(join(tmpdir(), 'queue-'));
    await (await openEmbeddedDatabase(template)).close();
  }
  cpSync(join(template, 'queue'), join(dataFolder, 'queue'), { recursive: true });
}

export function removeQueueTemplate(): void {
  if (template !== undefined) rmSync(template, { recursive: true, force: true });
  template = undefined;
}

/** Waits until all jobs came to an end. */
export async function allEnded(
  jobs: () => Promise<readonly JobRecord[]>,
  expected: number,
  seconds = 60,
): Promise<readonly JobRecord[]> {
  let last: readonly JobRecord[] = [];
  await until(
    () =>
      `jobs end: ${JSON.stringify(last.map(({ state, errorCode, errorDetails }) => [state, errorCode, errorDetails]))}`,
    async () => {
      last = await jobs();
      return last.length === expected && last.every(({ state }) => state !== 'queued' && state !== 'running');
    },
    seconds,
  );
  return last;
}

export interface StoredSeries {
  readonly id: string;
  readonly description: string;
  readonly slices: readonly CtSlice[];
}

/**
 * The series of an Orthanc with their slices in the order of their instance numbers; all of them must be uncompressed.
 * @param wanted by the series description; default: all
 */
export async function storedSeries(
  orthanc: TestOrthanc,
  wanted: (description: string) => boolean = () => true,
): Promise<StoredSeries[]> {
  const stored: StoredSeries[] = [];
  for (const id of await orthanc.get<string[]>('/series')) {
    const { Instances, MainDicomTags } = await orthanc.get<OrthancSeries>(`/series/${id}`);
    const description = MainDicomTags['SeriesDescription'] ?? '';
    if (!wanted(description)) continue;
    const slices: CtSlice[] = [];
    for (const instance of Instances) slices.push(readCtSlice(await orthanc.file(instance)));
    slices.sort((a, b) => (a.instanceNumber ?? 0) - (b.instanceNumber ?? 0));
    stored.push({ id, description, slices });
  }
  return stored;
}

interface OrthancSeries {
  readonly Instances: readonly string[];
  readonly MainDicomTags: Readonly<Record<string, string>>;
}

/** Empties an Orthanc. */
export async function deleteStudies(orthanc: TestOrthanc): Promise<void> {
  for (const study of await orthanc.get<string[]>('/studies'))
    await orthanc.send('DELETE', `/studies/${study}`);
}

export const isDenoised = (description: string): boolean => description.endsWith(' [denoised]');

/** What the derived slice must hold: the clear result, clamped to the stored values, padding as it was. */
export function expectedHu(
  network: IntegerNetwork,
  { image, header }: CtSlice,
  strengthPercent = 100,
): Int16Array {
  const { hu } = blend(image, evaluateClear(network, image), strengthPercent);
  const [low, high] = [
    header.stored.low + header.rescaleIntercept,
    header.stored.high + header.rescaleIntercept,
  ];
  return hu.map((value, at) =>
    image.padding?.[at] ? (image.hu[at] as number) : Math.max(low, Math.min(high, value)),
  );
}
