import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemRandom } from '@cipherdose/sdk/two-party';
import { startHost, type RunningHost } from '#server/index.js';
import { loadSeal, type SealLibrary } from '#sdk/he/index.js';
import { loadModel } from '#server/registry/load-model.js';
import type { IntegerNetwork } from '#server/network/integer-network.js';
import { writePrivateModel } from '../support/private-model-folder.ts';
import { privateNetwork } from '../support/private-network.ts';
import { clearResult, randomImage } from '../support/private-session.ts';
import { getTicket, openSocket, SocketClient } from '../support/private-socket.ts';

let root: string;
let host: RunningHost;
let seal: SealLibrary;
let network: IntegerNetwork;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'cipherdose-private-host-'));
  const made = privateNetwork({
    seed: 3,
    kernels: [
      [3, 5],
      [3, 3],
    ],
    widths: [4],
    factor: 2,
    clampBits: 8,
    lastClampBits: 8,
    shift: 5,
    weight: 30,
  });
  await writePrivateModel(root, made);
  network = await loadModel(join(root, 'private', '1.0.0'));
  seal = await loadSeal();
  host = await startHost({ models: root, threads: 1 });
});
afterAll(async () => {
  await host.close();
  await rm(root, { recursive: true });
});

const ticketFor = async () =>
  (await getTicket(host.url, { model: 'private', digest: network.plan.digest })).ticket;

describe('a host of private mode', () => {
  test('a series of slices is exact', async () => {
    const images = [randomImage(60, 40, 1), randomImage(60, 40, 2)];
    const options = { plan: network.plan, seal, random: systemRandom, images, ahead: 1 };
    const { client, ended } = new SocketClient(openSocket(host.url, await ticketFor()), options);
    await ended;
    expect(client.results.map(({ hu }) => hu)).toEqual(images.map((image) => clearResult(network, image)));
    client.dispose();
  });
});
