import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import {
  createClientOver,
  type DenoiseClient,
  type DenoiseProgress,
  type SliceResult,
} from '@cipherdose/sdk';
import { privateKind } from '@cipherdose/sdk/private-session';
import { startHost, type RunningHost } from '#server/index.js';
import { loadModel } from '#server/registry/load-model.js';
import type { IntegerNetwork } from '#server/network/integer-network.js';
import { FaultyTransport, type Fate, type Faults } from '../support/faulty-transport.ts';
import { memoryHost } from '../support/memory-host.ts';
import { writePrivateModel } from '../support/private-model-folder.ts';
import { privateNetwork } from '../support/private-network.ts';
import { clearResult, randomImage, smallPrivateNetwork } from '../support/private-session.ts';
import { refusal } from '../support/refusal.ts';
import { writeTinyModel } from '../support/tiny-model-folder.ts';

const shape = { ...smallPrivateNetwork, kernels: smallPrivateNetwork.kernels.slice(1), widths: [3] };
const layers = shape.kernels.length;
const images = [randomImage(30, 20, 1), randomImage(25, 22, 2), randomImage(30, 20, 3)];
const [image] = images as [(typeof images)[number]];
const options = { model: 'private', mode: 'private' } as const;

let root: string;
let network: IntegerNetwork;
let host: RunningHost;
let faulty: FaultyTransport;
let client: DenoiseClient;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'cipherdose-private-client-'));
  await writePrivateModel(root, privateNetwork(shape));
  await writeTinyModel(root);
  network = await loadModel(join(root, 'private', '1.0.0'));
  host = await startHost({ models: root, threads: 1 });
  faulty = new FaultyTransport(host.url);
  client = createClientOver(faulty.transport, { workers: 1, attempts: 3, timeoutMs: 5000 });
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

function expectExact(results: readonly SliceResult[], of = images): void {
  expect(results.map(({ index }) => index)).toEqual([...of.keys()]);
  results.forEach((result, i) => {
    if (!result.ok) throw result.error;
    expect(result.image.hu).toEqual(clearResult(network, of[i] as (typeof of)[number]));
  });
}

/** Runs slices over a transport with faults. */
async function runFaulty(faults: Faults, of = images): Promise<SliceResult[]> {
  faulty.meddle(faults);
  try {
    return await collect(client.denoise(of, options));
  } finally {
    faulty.meddle({});
  }
}

async function sessionsNow(): Promise<number> {
  const text = await (await fetch(`${host.url}/metrics`)).text();
  return Number(/^cipherdose_private_sessions (\d+)$/m.exec(text)?.[1]);
}

const kindOf = (message: Uint8Array): number | undefined => message[5];
const layerOf = (message: Uint8Array): number => message[6] as number;
const sliceOf = (message: Uint8Array): number => message[20] as number;

/** A fate for the first message of a kind, and what came of it. */
function first(
  kind: keyof typeof privateKind,
  fate: (message: Uint8Array<ArrayBuffer>) => Fate,
): (message: Uint8Array<ArrayBuffer>) => Fate {
  let done = false;
  return (message) => {
    if (done || kindOf(message) !== privateKind[kind]) return 'pass';
    done = true;
    return fate(message);
  };
}

describe('the client in private mode', () => {
  test('a series is exact on every pixel, over one session, and says what it took', async () => {
    const order: string[] = [];
    const received = (message: Uint8Array): Fate => {
      if (kindOf(message) === privateKind.frame) order.push(`frame ${String(sliceOf(message))}`);
      if (kindOf(message) === privateKind.result) order.push(`result ${String(sliceOf(message))}`);
      return 'pass';
    };
    const steps: DenoiseProgress[] = [];
    faulty.meddle({ received });
    // The mode is the only one of the model, so it need not be named.
    const run = client.denoise(images, { model: 'private', onProgress: (step) => steps.push(step) });
    const results = await collect(run);
    expect(faulty.sessions).toBe(1);
    expectExact(results);
    for (const result of results) {
      if (!result.ok) throw result.error;
      const { bytesUp, bytesDown, rounds, phases } = result.statistics;
      expect(rounds).toBe(3 * layers + 1);
      expect(bytesUp).toBe((phases?.offline.bytesUp ?? 0) + (phases?.online.bytesUp ?? 0));
      expect(bytesDown).toBe((phases?.offline.bytesDown ?? 0) + (phases?.online.bytesDown ?? 0));
      expect(phases?.online.bytesUp).toBeLessThan((phases?.offline.bytesUp ?? 0) / 2);
      expect(phases?.online.seconds).toBeGreaterThan(0);
    }
    // A slice is prepared before the one before it is done.
    expect(order.indexOf('frame 2')).toBeLessThan(order.indexOf('result 1'));
    const last = steps.at(-1);
    expect(last).toMatchObject({ slicesDone: 3, slices: 3, layers });
    expect(last?.tilesDone).toBe(last?.tiles);
    expect(Math.max(...steps.map(({ tilesDone, tiles }) => tilesDone - tiles))).toBe(0);
  });

  test('a stream with a slice that is not valid: that one is reported, the others are done', async () => {
    async function* stream() {
      yield image;
      yield { width: 3, height: 3, hu: new Int16Array(8) };
      yield images[1] as typeof image;
    }
    const results = await collect(client.denoise(stream(), options));
    const outcome = new Map(results.map((result) => [result.index, result.ok ? 'done' : result.error.code]));
    expect(Object.fromEntries(outcome)).toEqual({ 0: 'done', 1: 'IMAGE_INVALID', 2: 'done' });
  });

  test('a mode that the model or the transport does not offer is refused', async () => {
    const refused = async (results: AsyncIterable<SliceResult>) => {
      await expect(collect(results)).rejects.toThrow(refusal('MODE_UNSUPPORTED'));
    };
    await refused(client.denoise(image, { model: 'private', mode: 'interactive' }));
    await refused(client.denoise(image, { model: 'tiny', mode: 'private' }));
    const memory = memoryHost(network);
    const model = async (id: string) => ({ ...(await memory.model(id)), modes: ['private' as const] });
    const sessionless = createClientOver({ ...memory, model }, { workers: 1 });
    await refused(sessionless.denoise(image, options));
    sessionless.close();
  });
});

describe('a connection that breaks', () => {
  test.each([
    ['received', ['handshake', 'corrections', 'activation', 'result']],
    ['sent', ['frame', 'input', 'activation']],
  ] as const)('at a message that is %s: the slice is done once, exactly', async (way, kinds) => {
    for (const kind of kinds) {
      const results = await runFaulty({ [way]: first(kind, () => 'break') }, [image]);
      expectExact(results, [image]);
    }
  });

  test('at the last word of the client, the result is there', async () => {
    const faults = { sent: first('finished', () => 'break') };
    expectExact(await runFaulty(faults, [image]), [image]);
  });

  test('goes on with the layer that broke off, and with the slices that wait', async () => {
    let broken = false;
    const answers: number[] = [];
    const results = await runFaulty({
      received: (message) => {
        if (kindOf(message) !== privateKind.answer || sliceOf(message) !== 1) return 'pass';
        answers.push(layerOf(message));
        if (broken || layerOf(message) < layers - 1) return 'pass';
        broken = true;
        return 'break';
      },
    });
    expectExact(results);
    // The last layer twice, the others once.
    expect(answers).toEqual([0, 1, 1]);
  });

  test('where no attempt is left, the slice is reported and the next one is tried', async () => {
    const results = await runFaulty({
      received: (message) =>
        kindOf(message) === privateKind.opened && sliceOf(message) === 1 && faulty.sessions <= 3
          ? 'break'
          : 'pass',
    });
    expect(results.map(({ index, ok }) => [index, ok])).toEqual([
      [0, false],
      [1, true],
      [2, true],
    ]);
    expect(results[0]).toMatchObject({ error: { code: 'HOST_UNREACHABLE' } });
  });

  test('by silence of the host', async () => {
    let silent = false;
    const received = (message: Uint8Array): Fate => {
      silent ||= kindOf(message) === privateKind.corrections;
      return silent && faulty.sessions === 1 ? [] : 'pass';
    };
    let sessions = 0;
    const sent = (): Fate => {
      sessions = faulty.sessions;
      return 'pass';
    };
    expectExact(await runFaulty({ received, sent }, [image]), [image]);
    expect(sessions).toBe(2);
  });
});

describe('what the host must not say', () => {
  const changed = (message: Uint8Array<ArrayBuffer>, at: number): Uint8Array<ArrayBuffer> => {
    const copy = message.slice();
    copy[at] = (copy[at] as number) ^ 1;
    return copy;
  };
  type Change = (message: Uint8Array<ArrayBuffer>) => Fate;
  const cases: [string, keyof typeof privateKind, Change, RegExp][] = [
    ['truncated', 'answer', (message) => [message.slice(0, -1)], /^TWO_PARTY_LENGTH$/],
    ['too long', 'result', (message) => [new Uint8Array([...message, 0])], /^TWO_PARTY_TOO_LARGE$/],
    ['of another kind', 'frame', (message) => [changed(message, 5)], /^TWO_PARTY_ORDER$/],
  ];

  test.each(cases)('%s (%s) ends the session, and the slice is reported', async (_, kind, change, code) => {
    const results = await runFaulty({ received: first(kind, change) }, [image]);
    expect(results).toHaveLength(1);
    expect(results[0]).toMatchObject({ ok: false, error: { code: expect.stringMatching(code) } });
  });
});

describe('a run that is given up', () => {
  test.each(['frame', 'activation'] as const)('at %s: cancelled, and nothing stays', async (kind) => {
    const abort = new AbortController();
    faulty.meddle({
      received: first(kind, () => {
        abort.abort();
        return 'pass';
      }),
    });
    const run = client.denoise(images, { ...options, signal: abort.signal });
    await expect(collect(run)).rejects.toThrow(refusal('CANCELLED'));
    while ((await sessionsNow()) > 0) await wait(20);
    expect(faulty.sessions).toBe(1);
    // The client can be used again.
    expectExact(await collect(client.denoise([image], options)), [image]);
  });

  test('by leaving the loop', async () => {
    for await (const result of client.denoise(images, options)) {
      expect(result.ok).toBe(true);
      break;
    }
    while ((await sessionsNow()) > 0) await wait(20);
    expectExact(await collect(client.denoise([image], options)), [image]);
  });
});
