import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { DenoiseError } from '@cipherdose/sdk/errors';
import type { HuImage } from '@cipherdose/sdk/image';
import type { ErrorBody } from '@cipherdose/sdk/protocol';
import { systemRandom } from '@cipherdose/sdk/two-party';
import { startHost, type HostConfig, type RunningHost } from '#server/index.js';
import { issueKey, writeKeyFile } from '#server/keys/key-file.js';
import { loadModel } from '#server/registry/load-model.js';
import type { IntegerNetwork } from '#server/network/integer-network.js';
import { loadSeal, type SealLibrary } from '#sdk/he/index.js';
import { collectGarbage } from '../support/collect-garbage.ts';
import type { TestClientOptions } from '../support/private-client.ts';
import { writePrivateModel } from '../support/private-model-folder.ts';
import { privateNetwork } from '../support/private-network.ts';
import { clearResult, randomImage } from '../support/private-session.ts';
import { askTicket, closed, getTicket, openSocket, SocketClient } from '../support/private-socket.ts';
import { writeTinyModel } from '../support/tiny-model-folder.ts';

let root: string;
let seal: SealLibrary;
let network: IntegerNetwork;
let tinyDigest: string;
const hosts: RunningHost[] = [];

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
  tinyDigest = await writeTinyModel(root);
  network = await loadModel(join(root, 'private', '1.0.0'));
  seal = await loadSeal();
});
afterEach(async () => {
  await Promise.all(hosts.splice(0).map((host) => host.close()));
});
afterAll(() => rm(root, { recursive: true }));

async function start(settings: Partial<HostConfig['private']> = {}): Promise<RunningHost> {
  const limits = {
    maxSessions: 4,
    slices: 2,
    maxSliceActivations: 2 ** 22,
    quota: { activations: 1e9, perSeconds: 60 },
    ticketSeconds: 30,
    idleSeconds: 60,
    resumeSeconds: 60,
    maxResumeBytes: 2 ** 24,
    maxWaitingBytes: 2 ** 25,
    ...settings,
  };
  const host = await startHost({ models: root, threads: 1, private: limits });
  hosts.push(host);
  return host;
}

const model = () => ({ model: 'private', digest: network.plan.digest });
const ticketOf = async ({ url }: RunningHost) => (await getTicket(url, model())).ticket;

/** A client of its own for a host. @param stopAfter messages: the connection breaks off */
async function connect(
  host: RunningHost,
  images: readonly HuImage[],
  options: Partial<TestClientOptions> = {},
  stopAfter = Infinity,
): Promise<SocketClient> {
  const own = { plan: network.plan, seal, random: systemRandom, images, ...options };
  return new SocketClient(openSocket(host.url, await ticketOf(host)), own, stopAfter);
}

async function metric({ url }: RunningHost, name: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const lines = text.split('\n').filter((line) => line.startsWith(name));
  return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}

/** Waits for what the host does after a client has gone. */
async function untilEnded(host: RunningHost, sessions: number): Promise<void> {
  while ((await metric(host, 'cipherdose_private_sessions_total')) < sessions) await wait(20);
}

const image = randomImage(60, 40, 1);
const other = randomImage(50, 44, 2);

describe('a host of private mode', () => {
  test('a series of slices is exact, and counted', async () => {
    const host = await start();
    const images = [image, other, image];
    const { client, ended } = await connect(host, images, { ahead: 1 });
    await ended;
    expect(client.results.map(({ hu }) => hu)).toEqual(images.map((each) => clearResult(network, each)));
    client.dispose();
    await untilEnded(host, 1);
    const text = await (await fetch(`${host.url}/metrics`)).text();
    expect(text).toContain('cipherdose_private_sessions_total{model="private",code="OK"} 1');
    expect(await metric(host, 'cipherdose_private_slices_total')).toBe(3);
    const pixels = 2 * 60 * 40 + 50 * 44;
    expect(await metric(host, 'cipherdose_private_activations_total')).toBe(2 * pixels);
    expect(await metric(host, 'cipherdose_private_bytes_total')).toBeGreaterThan(1e6);
    expect(text).toContain('cipherdose_private_sessions 0');
    expect(text).toContain('cipherdose_private_resume_bytes 0');
    // The WebSocket is one request that ended well.
    expect(text).toContain('route="/v1/private",status="101",code="OK"');
  });

  test('two clients at once get their own slices', async () => {
    const host = await start();
    const clients = await Promise.all([connect(host, [image]), connect(host, [other])]);
    await Promise.all(clients.map(({ ended }) => ended));
    expect(clients.map(({ client }) => client.results[0]?.hu)).toEqual([
      clearResult(network, image),
      clearResult(network, other),
    ]);
    for (const { client } of clients) client.dispose();
  });

  test('what breaks off goes on at its layer, exactly', async () => {
    const host = await start();
    // Handshake and preparation take 7 messages of the host, each layer 3.
    for (const stopAfter of [8, 10, 12]) {
      const broken = await connect(host, [image], {}, stopAfter);
      await broken.ended;
      const { kept } = broken.client;
      expect(kept).toBeDefined();
      broken.client.dispose();
      const again = await connect(host, [image], { resume: kept });
      await again.ended;
      expect(again.client.results[0]?.hu).toEqual(clearResult(network, image));
      again.client.dispose();
    }
    await untilEnded(host, 6);
    expect(await metric(host, 'cipherdose_private_resume_bytes')).toBe(0);
    const layers = 60 * 40;
    const activations = await metric(host, 'cipherdose_private_activations_total');
    // At least one went on with the second layer alone.
    expect(activations).toBeLessThan(6 * 2 * layers);
  });

  test('sessions that drop at any time leave no session and no memory behind', async () => {
    const host = await start();
    const drop = async (stopAfter: number) => {
      const { client, ended } = await connect(host, [randomImage(160, 160, 3)], {}, stopAfter);
      await ended;
      client.dispose();
    };
    await drop(13);
    const before = await collectGarbage();
    const steps = [1, 2, 4, 5, 7, 8, 10, 11, 13];
    for (const step of steps) await drop(step);
    await untilEnded(host, steps.length + 1);
    expect(await metric(host, 'cipherdose_private_sessions ')).toBe(0);
    const after = await collectGarbage();
    expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(8 * 2 ** 20);
    expect(after.rss - before.rss).toBeLessThan(100 * 2 ** 20);
  });
});

describe('a session is refused', () => {
  test('without a ticket, with a foreign one, and with one that was used', async () => {
    const host = await start();
    const foreign = await start();
    const ticket = await ticketOf(host);
    const first = openSocket(host.url, ticket);
    first.addEventListener('message', () => first.close(1000));
    expect((await closed(first)).code).toBe('HOST_UNREACHABLE');
    for (const bad of [undefined, ticket, await ticketOf(foreign), 'x'])
      expect((await closed(openSocket(host.url, bad))).code).toBe('TICKET_INVALID');
  });

  test('where it is no WebSocket; and nothing else is one', async () => {
    const { url } = await start();
    const response = await fetch(`${url}/v1/private`);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { code: 'REQUEST_INVALID' } });
    const socket = new WebSocket(new URL('/healthz', url.replace('http', 'ws')));
    expect((await closed(socket)).code).toBe('HOST_UNREACHABLE');
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
  });

  test('with a ticket that is too old', async () => {
    const host = await start({ ticketSeconds: 1 });
    const ticket = await ticketOf(host);
    await wait(1100);
    expect((await closed(openSocket(host.url, ticket))).code).toBe('TICKET_INVALID');
  });

  test('where there are too many, with the time to wait', async () => {
    const host = await start({ maxSessions: 1 });
    const [first, second] = [await ticketOf(host), await ticketOf(host)];
    const one = openSocket(host.url, first);
    await new Promise((resolve) => one.addEventListener('message', resolve, { once: true }));
    const error = await closed(openSocket(host.url, second));
    expect(error).toMatchObject({ code: 'HOST_BUSY', details: { retryAfterSeconds: 5 } });
    const response = await askTicket(host.url, model());
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('5');
    one.close(1000);
  });
});

describe('tickets are refused', () => {
  const codeOf = async (response: Response) => {
    const { error } = (await response.json()) as ErrorBody;
    return `${String(response.status)} ${error.code}`;
  };

  test('for models that do not run in private mode, and versions that are not there', async () => {
    const { url } = await start();
    const ask = async (body: object) =>
      codeOf(await askTicket(url, body as { model: string; digest: string }));
    expect(await ask({ model: 'tiny', digest: tinyDigest })).toBe('400 MODE_UNSUPPORTED');
    expect(await ask({ ...model(), digest: tinyDigest })).toBe('409 FRAME_DIGEST');
    expect(await ask({ ...model(), model: 'unknown' })).toBe('404 MODEL_UNKNOWN');
    expect(await ask({ model: 'private' })).toBe('400 REQUEST_INVALID');
    expect(await ask({ ...model(), more: 1 })).toBe('400 REQUEST_INVALID');
  });

  test('to callers without a key; the session itself needs none', async () => {
    const keysFile = join(root, 'keys.json');
    const { key, record } = issueKey('test', new Date());
    await writeKeyFile(keysFile, [record]);
    const host = await startHost({ models: root, threads: 1, keysFile });
    hosts.push(host);
    expect(await codeOf(await askTicket(host.url, model()))).toBe('401 UNAUTHENTICATED');
    const { ticket } = await getTicket(host.url, model(), { authorization: `Bearer ${key}` });
    const socket = openSocket(host.url, ticket);
    const hello = await new Promise((resolve) => socket.addEventListener('message', resolve, { once: true }));
    expect(hello).toBeInstanceOf(MessageEvent);
    expect(socket.protocol).toBe('cipherdose.private.1');
    socket.close(1000);
  });
});

describe('a session ends', () => {
  test('where a message is not the protocol', async () => {
    const host = await start();
    const endOf = async (message: string | Uint8Array<ArrayBuffer>) => {
      const socket = openSocket(host.url, await ticketOf(host));
      socket.addEventListener('open', () => socket.send(message));
      return (await closed(socket)).code;
    };
    expect(await endOf('hello')).toBe('TWO_PARTY_FOREIGN');
    expect(await endOf(new Uint8Array(31))).toBe('TWO_PARTY_LENGTH');
    expect(await endOf(new Uint8Array(64))).toBe('TWO_PARTY_FOREIGN');
  });

  test('where it says nothing for too long', async () => {
    const host = await start({ idleSeconds: 0.5 });
    const socket = openSocket(host.url, await ticketOf(host));
    expect((await closed(socket)).code).toBe('SESSION_IDLE');
  });

  test('where the quota is used up, or a slice is too large', async () => {
    const perSlice = 2 * 60 * 40;
    const quota = { activations: 2 * perSlice - 1, perSeconds: 60 };
    const host = await start({ quota, maxSliceActivations: 2 * perSlice });
    const { client, ended } = await connect(host, [image, image]);
    const error = await ended;
    expect(client.results).toHaveLength(1);
    expect(error.code).toBe('QUOTA_EXCEEDED');
    expect(error.retryable).toBe(true);
    expect(error.details['retryAfterSeconds']).toBeGreaterThan(30);
    const large = await connect(host, [randomImage(128, 128, 1)]);
    expect((await large.ended).code).toBe('SLICE_TOO_LARGE');
    for (const each of [client, large.client]) each.dispose();
  });

  test('where the host closes: the slice that runs is finished, the next one does not begin', async () => {
    const host = await start();
    let closing: Promise<void> | undefined;
    const images = [randomImage(256, 256, 5), image];
    const { client, socket, ended } = await connect(host, images);
    socket.addEventListener('message', ({ data }) => {
      // The first answer of the image's way.
      if (new Uint8Array(data as ArrayBuffer)[5] === 8) closing ??= host.close();
    });
    const error = await ended;
    expect(error).toBeInstanceOf(DenoiseError);
    expect(error.code).toBe('HOST_CLOSING');
    expect(client.results.map(({ hu }) => hu)).toEqual([clearResult(network, images[0] as HuImage)]);
    await closing;
    client.dispose();
  });
});
