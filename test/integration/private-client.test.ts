import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDenoiseClient, type DenoiseClient, type SliceResult } from '@cipherdose/sdk';
import { startHost, type RunningHost } from '#server/index.js';
import { loadModel } from '#server/registry/load-model.js';
import type { IntegerNetwork } from '#server/network/integer-network.js';
import { writePrivateModel } from '../support/private-model-folder.ts';
import { privateNetwork } from '../support/private-network.ts';
import { clearResult, randomImage, smallPrivateNetwork } from '../support/private-session.ts';

let root: string;
let network: IntegerNetwork;
let host: RunningHost;
let client: DenoiseClient;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'cipherdose-private-client-'));
  await writePrivateModel(root, privateNetwork(smallPrivateNetwork));
  network = await loadModel(join(root, 'private', '1.0.0'));
  host = await startHost({ models: root, threads: 1 });
  client = createDenoiseClient({ serverUrl: host.url, workers: 1 });
});
afterAll(async () => {
  client?.close();
  await host?.close();
  await rm(root, { recursive: true });
});

async function collect(results: AsyncIterable<SliceResult>): Promise<SliceResult[]> {
  const all: SliceResult[] = [];
  for await (const result of results) all.push(result);
  return all;
}

describe('the client in private mode', () => {
  test('a series is exact on every pixel', async () => {
    const images = [randomImage(60, 40, 1), randomImage(50, 44, 2), randomImage(60, 40, 3)];
    const results = await collect(client.denoise(images, { model: 'private', mode: 'private' }));
    expect(results.map(({ index }) => index)).toEqual([0, 1, 2]);
    results.forEach((result, i) => {
      if (!result.ok) throw result.error;
      expect(result.image.hu).toEqual(clearResult(network, images[i] as (typeof images)[number]));
    });
  });
});
