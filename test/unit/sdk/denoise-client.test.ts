import { afterEach, describe, expect, it } from '@jest/globals';
import {
  createClientOver,
  createDenoiseClient,
  DenoiseError,
  type DenoiseProgress,
  type HuImage,
  type LayerRequest,
  type SliceResult,
  type Transport,
} from '@cipherdose/sdk';
import { evaluateClear } from '#server/network/clear-evaluator.js';
import { integers } from '../../support/arbitraries.ts';
import { memoryHost } from '../../support/memory-host.ts';
import { randomNetwork } from '../../support/random-network.ts';
import { refusal } from '../../support/refusal.ts';

const network = randomNetwork({
  seed: 1,
  parameterSet: 'n4096-q60-t31',
  kernels: [
    [3, 3],
    [5, 5],
  ],
  widths: [3],
  factor: 2,
  stride: [1, 1],
  activation: 'leaky',
});
const options = { model: 'random' };

function image(seed: number, side = 40): HuImage {
  const next = integers(seed);
  return { width: side, height: side, hu: Int16Array.from({ length: side * side }, () => next(-1000, 2000)) };
}

const open: { close(): void }[] = [];
afterEach(() => open.splice(0).forEach((client) => client.close()));

function clientOver(
  evaluate?: (
    request: LayerRequest,
    pass: Transport['evaluate'],
    signal?: AbortSignal,
  ) => ReturnType<Transport['evaluate']>,
  change: Partial<Transport> = {},
): ReturnType<typeof createClientOver> {
  const host = memoryHost(network);
  const transport: Transport = {
    ...host,
    ...(evaluate ? { evaluate: (request, signal) => evaluate(request, host.evaluate, signal) } : {}),
    ...change,
  };
  const client = createClientOver(transport, { workers: 2, attempts: 3 });
  open.push(client);
  return client;
}

async function collect(results: AsyncIterable<SliceResult>): Promise<SliceResult[]> {
  const list: SliceResult[] = [];
  for await (const result of results) list.push(result);
  return list.sort((a, b) => a.index - b.index);
}

describe('prepare', () => {
  it('sends no frame, and the run after it is the same', async () => {
    let frames = 0;
    const client = clientOver((request, pass, signal) => {
      frames++;
      return pass(request, signal);
    });
    await client.prepare('random');
    expect(frames).toBe(0);
    const [result] = await collect(client.denoise(image(1), options));
    const [expected] = await collect(clientOver().denoise(image(1), options));
    expect(frames).toBeGreaterThan(0);
    expect(result?.ok && [...result.image.hu]).toEqual(expected?.ok && [...expected.image.hu]);
  });

  it('starts nothing in a client that is closed', async () => {
    const client = clientOver();
    client.close();
    await expect(client.prepare('random')).rejects.toThrow(refusal('CLIENT_CLOSED'));
  });
});

describe('DenoiseClient', () => {
  it('denoises a series exactly, and says how far it is', async () => {
    const images = Array.from({ length: 5 }, (_, i) => image(i));
    const progress: DenoiseProgress[] = [];
    const client = clientOver();
    const results = await collect(
      client.denoise(images, { ...options, onProgress: (step) => progress.push(step) }),
    );
    expect(results).toHaveLength(5);
    results.forEach((result, i) => {
      expect(result).toMatchObject({ ok: true, index: i, statistics: { rounds: 2 } });
      if (result.ok) expect(result.image.hu).toEqual(evaluateClear(network, images[i] as HuImage).hu);
    });
    const last = progress.at(-1);
    expect(last).toMatchObject({ phase: 'done', slicesDone: 5, slices: 5, layers: 2 });
    expect(last?.tilesDone).toBe(last?.tiles);
    const bytesUp = results.reduce((sum, result) => sum + (result.ok ? result.statistics.bytesUp : 0), 0);
    expect(last?.bytesUp).toBe(bytesUp);
    for (const [before, after] of progress.slice(1).map((step, i) => [progress[i], step] as const))
      expect(after.tilesDone).toBeGreaterThanOrEqual(before?.tilesDone ?? 0);
  });

  it('tries a retryable failure again with the same frame', async () => {
    const frames: Uint8Array[] = [];
    const client = clientOver(async (request, pass) => {
      frames.push(request.frame);
      if (frames.length === 1) throw new DenoiseError('HOST_BUSY');
      return pass(request);
    });
    const [result] = await collect(client.denoise(image(7), options));
    expect(result).toMatchObject({ ok: true });
    expect(frames[1]).toBe(frames[0]);
  });

  it('does not try a final failure again, and does the other slices', async () => {
    let calls = 0;
    const client = clientOver(async (request, pass) => {
      calls += 1;
      if (calls === 1) throw new DenoiseError('FRAME_DIGEST');
      return pass(request);
    });
    const results = await collect(client.denoise([image(1), image(2), image(3)], options));
    expect(results.map((result) => result.ok).sort()).toEqual([false, true, true]);
    expect(results.find((result) => !result.ok)).toMatchObject({ error: { code: 'FRAME_DIGEST' } });
    expect(calls).toBe(1 + 2 * 2);
  });

  it('goes on at the layer that failed', async () => {
    let down = true;
    const layers: number[] = [];
    const client = clientOver(async (request, pass) => {
      layers.push(request.layer);
      if (request.layer === 1 && down) throw new DenoiseError('FRAME_LENGTH');
      return pass(request);
    });
    const [failed] = await collect(client.denoise(image(9), options));
    if (!failed || failed.ok || !failed.checkpoint) throw new Error('no checkpoint');
    expect(failed.checkpoint).toMatchObject({ index: 0, layer: 1 });
    expect(JSON.stringify(failed.checkpoint)).toBe('{"index":0,"layer":1}');
    down = false;
    const [resumed] = await collect(client.resume([failed.checkpoint], options));
    expect(resumed).toMatchObject({ ok: true, index: 0 });
    if (resumed?.ok) expect(resumed.image.hu).toEqual(evaluateClear(network, image(9)).hu);
    expect(layers).toEqual([0, 1, 1]);
  });

  it('stops at once when it is cancelled, and works again afterwards', async () => {
    const controller = new AbortController();
    let calls = 0;
    const client = clientOver(async (request, pass) => {
      calls += 1;
      if (calls === 2) controller.abort();
      return pass(request);
    });
    const images = Array.from({ length: 20 }, (_, i) => image(i));
    await expect(collect(client.denoise(images, { ...options, signal: controller.signal }))).rejects.toThrow(
      refusal('CANCELLED'),
    );
    const afterwards = calls;
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(calls).toBe(afterwards);
    const [again] = await collect(client.denoise(image(1), options));
    expect(again).toMatchObject({ ok: true });
  });

  it('stops when the iteration stops', async () => {
    let calls = 0;
    const client = clientOver(async (request, pass) => {
      calls += 1;
      return pass(request);
    });
    const images = Array.from({ length: 20 }, (_, i) => image(i));
    for await (const result of client.denoise(images, options)) {
      expect(result.ok).toBe(true);
      break;
    }
    const afterwards = calls;
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(calls).toBe(afterwards);
    expect(calls).toBeLessThan(20);
  });

  it('refuses a reply that is not what was asked for', async () => {
    const client = clientOver(async (request, pass) => {
      const reply = await pass(request);
      reply[40] = 77; // the layer
      return reply;
    });
    expect(await collect(client.denoise(image(1), options))).toMatchObject([
      { ok: false, error: { code: 'FRAME_LAYER' } },
    ]);
  });

  it('refuses a plan that does not match its digest, or another than was asked for', async () => {
    const host = memoryHost(network);
    const lie = clientOver(undefined, {
      model: async (id) => ({ ...(await host.model(id)), digest: 'a'.repeat(64) }),
    });
    await expect(collect(lie.denoise(image(1), options))).rejects.toThrow(refusal('PLAN_DIGEST'));
    const digest = 'b'.repeat(64);
    await expect(collect(clientOver().denoise(image(1), { ...options, digest }))).rejects.toThrow(
      refusal('PLAN_DIGEST'),
    );
  });

  it('refuses modes, models and images that are not there', async () => {
    const client = clientOver();
    await expect(collect(client.denoise(image(1), { ...options, mode: 'private' }))).rejects.toThrow(
      refusal('MODE_UNSUPPORTED'),
    );
    await expect(collect(client.denoise(image(1), { model: 'other' }))).rejects.toThrow(
      refusal('MODEL_UNKNOWN'),
    );
    const broken = { width: 3, height: 3, hu: new Int16Array(8) };
    expect(() => client.denoise(broken, options)).toThrow(refusal('IMAGE_INVALID'));
    client.close();
    await expect(collect(client.denoise(image(1), options))).rejects.toThrow(refusal('CLIENT_CLOSED'));
    expect(() => createDenoiseClient({ serverUrl: 'not a url' })).toThrow(refusal('HOST_UNREACHABLE'));
  });

  it('says that a host cannot be reached', async () => {
    const client = createDenoiseClient({ serverUrl: 'http://127.0.0.1:9', attempts: 1 });
    open.push(client);
    await expect(client.models()).rejects.toThrow(refusal('HOST_UNREACHABLE'));
  });
});
