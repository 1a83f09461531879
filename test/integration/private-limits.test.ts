import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDenoiseClient, type DenoiseProgress, type HuImage, type SliceResult } from '@cipherdose/sdk';
import { sliceLayout } from '@cipherdose/sdk/private-session';
import { startHost, type HostConfig, type RunningHost } from '#server/index.js';
import { loadModel } from '#server/registry/load-model.js';
import type { IntegerNetwork } from '#server/network/integer-network.js';
import { writePrivateModel } from '../support/private-model-folder.ts';
import { privateNetwork } from '../support/private-network.ts';
import { clearResult, randomImage, smallPrivateNetwork } from '../support/private-session.ts';
import { present } from '../support/two-party.ts';

let root: string;
let network: IntegerNetwork;
const hosts: RunningHost[] = [];
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'cipherdose-private-limits-'));
  await writePrivateModel(root, privateNetwork(smallPrivateNetwork));
  network = await loadModel(join(root, 'private', '1.0.0'));
});
afterEach(async () => {
  await Promise.all(hosts.splice(0).map((host) => host.close()));
});
afterAll(() => rm(root, { recursive: true }));

const limits: HostConfig['private'] = {
  ...{ maxSessions: 4, slices: 2, maxSliceActivations: 2 ** 22, ticketSeconds: 30, idleSeconds: 60 },
  quota: { activations: 1e9, perSeconds: 60 },
  ...{ resumeSeconds: 60, maxResumeBytes: 2 ** 24, maxWaitingBytes: 2 ** 25 },
};

async function start(settings: Partial<HostConfig['private']> = {}, port = 0): Promise<RunningHost> {
  const host = await startHost({ models: root, threads: 1, port, private: { ...limits, ...settings } });
  hosts.push(host);
  return host;
}

async function denoise(
  { url: serverUrl }: RunningHost,
  images: readonly HuImage[],
  onProgress: (progress: DenoiseProgress) => void = () => undefined,
): Promise<SliceResult[]> {
  const client = createDenoiseClient({ serverUrl, workers: 1 });
  const results: SliceResult[] = [];
  try {
    for await (const result of client.denoise(images, { model: 'private', onProgress })) results.push(result);
  } finally {
    client.close();
  }
  return results;
}

const image = randomImage(60, 40, 1);
const other = randomImage(50, 44, 2);
const activationsOf = (of: HuImage): number => sliceLayout(network.plan, of).activations;
const outcomes = (results: readonly SliceResult[]): string[] =>
  results.map((result) => (result.ok ? 'done' : result.error.code));
/** Whether a slice is that of the clear network. */
const exact = (results: readonly SliceResult[], images: readonly HuImage[]): boolean[] =>
  results.map((result) => {
    if (!result.ok) throw result.error;
    const { hu } = result.image;
    return clearResult(network, present(images[result.index])).every((value, i) => value === hu[i]);
  });

describe('a client of private mode', () => {
  test('reports a slice that is too large for the host, and goes on with the others', async () => {
    const host = await start({ maxSliceActivations: activationsOf(image) });
    const results = await denoise(host, [image, randomImage(64, 64, 3), other]);
    expect(outcomes(results)).toEqual(['done', 'SLICE_TOO_LARGE', 'done']);
    expect(results.map(({ index }) => index)).toEqual([0, 1, 2]);
  });

  test('waits where the quota is used up', async () => {
    const host = await start({ quota: { activations: 2 * activationsOf(image) - 1, perSeconds: 3 } });
    const images = [image, image, other];
    const results = await denoise(host, images);
    expect(exact(results, images)).toEqual([true, true, true]);
  });

  test('waits where the host has no room for a session', async () => {
    const host = await start({ maxSessions: 1 });
    const [first, second] = await Promise.all([denoise(host, [image]), denoise(host, [other])]);
    expect(exact(first, [image])).toEqual([true]);
    expect(exact(second, [other])).toEqual([true]);
  });

  test('opens another session where the host closed one that said nothing', async () => {
    const host = await start({ idleSeconds: 5 });
    async function* slowly(): AsyncGenerator<HuImage> {
      yield image;
      await new Promise((resolve) => setTimeout(resolve, 7000));
      yield other;
    }
    const client = createDenoiseClient({ serverUrl: host.url, workers: 1 });
    const results: SliceResult[] = [];
    for await (const result of client.denoise(slowly(), { model: 'private' })) results.push(result);
    client.close();
    expect(exact(results, [image, other])).toEqual([true, true]);
  });

  test('goes its own way to the host, for requests and for the session alike', async () => {
    const host = await start();
    const serverUrl = 'http://host.invalid';
    const there = (address: string): string =>
      address.replace(/(?<=^\w+:\/\/)host\.invalid/, new URL(host.url).host);
    const client = createDenoiseClient({
      serverUrl,
      workers: 1,
      attempts: 1,
      fetch: (address, init) => fetch(there(String(address)), init),
      openSocket: (address, protocols) => new WebSocket(there(address), protocols),
    });
    const results: SliceResult[] = [];
    for await (const result of client.denoise([image], { model: 'private' })) results.push(result);
    client.close();
    expect(exact(results, [image])).toEqual([true]);
  });

  test('goes on with the next host where one shuts down', async () => {
    const first = await start();
    const port = Number(new URL(first.url).port);
    const images = [image, other, image, other];
    let next: Promise<RunningHost> | undefined;
    const results = await denoise(first, images, ({ slicesDone }) => {
      if (slicesDone === 1) next ??= first.close().then(() => start({}, port));
    });
    hosts.splice(hosts.indexOf(first), 1);
    expect(exact(results, images)).toEqual([true, true, true, true]);
    expect((await present(next)).url).toBe(first.url);
  });
});
