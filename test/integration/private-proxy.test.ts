import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemRandom } from '@cipherdose/sdk/two-party';
import { startHost, type RunningHost } from '#server/index.js';
import { loadModel } from '#server/registry/load-model.js';
import type { IntegerNetwork } from '#server/network/integer-network.js';
import { loadSeal, type SealLibrary } from '#sdk/he/index.js';
import { startNginx, type Nginx } from '../support/nginx.ts';
import type { KeptSlice } from '../support/private-client.ts';
import { writePrivateModel } from '../support/private-model-folder.ts';
import { privateNetwork } from '../support/private-network.ts';
import { clearResult, randomImage } from '../support/private-session.ts';
import { closed, getTicket, openSocket, SocketClient } from '../support/private-socket.ts';

let root: string;
let seal: SealLibrary;
let network: IntegerNetwork;
let hosts: readonly [RunningHost, RunningHost];
const addresses = Array.from({ length: 64 }, (_, i) => `10.0.0.${i + 1}`);
/** Clients that are tried in any case. */
const atLeast = 6;
const image = randomImage(40, 40, 1);

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'cipherdose-private-proxy-'));
  await writePrivateModel(
    root,
    privateNetwork({
      seed: 4,
      kernels: [
        [3, 3],
        [3, 3],
      ],
      widths: [4],
      factor: 2,
      clampBits: 7,
      lastClampBits: 7,
      shift: 5,
      weight: 20,
    }),
  );
  network = await loadModel(join(root, 'private', '1.0.0'));
  seal = await loadSeal();
  const start = () => startHost({ models: root, threads: 1, trustProxy: true });
  hosts = [await start(), await start()];
});
afterAll(async () => {
  await Promise.all(hosts.map((host) => host.close()));
  await rm(root, { recursive: true });
});

let nginx: Nginx | undefined;
afterEach(() => nginx?.close());

const addressOf = ({ url }: RunningHost): string => new URL(url).host;
/** @returns the address of nginx in front of both */
async function behindNginx(change?: (text: string) => string): Promise<string> {
  const both = [addressOf(hosts[0]), addressOf(hosts[1])] as const;
  nginx = await startNginx({ hosts: both, ...(change ? { change } : {}) });
  return nginx.url;
}

/** What the session of one address, on a connection of its own, ends with. */
async function socketOf(url: string, address: string): Promise<WebSocket> {
  const headers = { 'x-forwarded-for': address, connection: 'close' };
  const { ticket } = await getTicket(url, { model: 'private', digest: network.plan.digest }, headers);
  return openSocket(url, ticket, { 'x-forwarded-for': address });
}

async function run(
  url: string,
  address: string,
  resume?: KeptSlice,
  stopAfter?: number,
): Promise<SocketClient> {
  const options = { plan: network.plan, seal, random: systemRandom, images: [image], resume };
  const client = new SocketClient(await socketOf(url, address), options, stopAfter);
  await client.ended;
  client.client.dispose();
  return client;
}

/** Sessions that a host has had. */
async function sessionsOf({ url }: RunningHost): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const lines = text.split('\n').filter((line) => line.startsWith('cipherdose_private_sessions_total{'));
  return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}

const bothHadSessions = async (): Promise<boolean> =>
  (await Promise.all(hosts.map(sessionsOf))).every((count) => count > 0);

describe('two hosts behind nginx', () => {
  test('each client finds the host that gave its ticket, and its slice when it broke off', async () => {
    const url = await behindNginx();
    // nginx hashes by the hosts' ports too, which differ from run to run: the first few may all fall to one host.
    for (const [i, address] of addresses.entries()) {
      if (i >= atLeast && (await bothHadSessions())) break;
      const socket = await socketOf(url, address);
      socket.addEventListener('message', () => socket.close(1000));
      expect((await closed(socket)).code).not.toBe('TICKET_INVALID');
    }
    expect(await bothHadSessions()).toBe(true);
    const broken = await run(url, '10.0.0.1', undefined, 10);
    const again = await run(url, '10.0.0.1', broken.client.kept);
    expect(again.client.results[0]?.hu).toEqual(clearResult(network, image));
    expect(again.received).toBeLessThan(14);
  });

  test('without the same host for each client, tickets are unknown', async () => {
    const url = await behindNginx((text) => text.replace('hash $remote_addr consistent;', ''));
    const codes: string[] = [];
    for (const address of addresses.slice(0, atLeast)) {
      const socket = await socketOf(url, address);
      socket.addEventListener('message', () => socket.close(1000));
      codes.push((await closed(socket)).code);
    }
    expect(codes).toContain('TICKET_INVALID');
  });
});
