import { afterEach, describe, expect, it } from '@jest/globals';
import {
  createClientOver,
  DenoiseError,
  type DenoiseClient,
  type DenoiseProgress,
  type HuImage,
  type SliceResult,
} from '@cipherdose/sdk';
import { evaluateClear } from '#server/network/clear-evaluator.js';
import { integers } from '../../support/arbitraries.ts';
import { memoryHost } from '../../support/memory-host.ts';
import { oneLayerNetwork } from '../../support/random-network.ts';
import { refusal } from '../../support/refusal.ts';

const network = oneLayerNetwork(2);
const options = { model: 'random' };
const side = 20;

function image(seed: number): HuImage {
  const next = integers(seed);
  return { width: side, height: side, hu: Int16Array.from({ length: side * side }, () => next(-1000, 2000)) };
}

let client: DenoiseClient | undefined;
afterEach(() => client?.close());
const open = (): DenoiseClient => (client = createClientOver(memoryHost(network), { workers: 1 }));

async function collect(results: AsyncIterable<SliceResult>): Promise<SliceResult[]> {
  const list: SliceResult[] = [];
  for await (const result of results) list.push(result);
  return list.sort((a, b) => a.index - b.index);
}

describe('a stream of slices', () => {
  it('is read only as fast as slices are done, and its progress knows what to expect', async () => {
    let [taken, done, most] = [0, 0, 0];
    async function* images() {
      for (; taken < 10; taken++) {
        most = Math.max(most, taken + 1 - done);
        yield image(taken);
      }
    }
    const progress: DenoiseProgress[] = [];
    const watch = { expectedSlices: 12, onProgress: (step: DenoiseProgress) => void progress.push(step) };
    const results: SliceResult[] = [];
    for await (const result of open().denoise(images(), { ...options, ...watch, slicesInFlight: 2 })) {
      done++;
      results.push(result);
    }
    expect(most).toBeLessThanOrEqual(3);
    expect(results).toHaveLength(10);
    for (const result of results)
      expect(result.ok && result.image.hu).toEqual(evaluateClear(network, image(result.index)).hu);
    expect(progress[0]).toMatchObject({ slices: 12 });
    expect(progress[0]?.tiles).toBe(12 * ((progress.at(-1)?.tiles as number) / 10));
    expect(progress.at(-1)).toMatchObject({ slices: 10, slicesDone: 10, secondsLeft: 0 });
  });

  it('may bring an invalid image, which fails alone', async () => {
    async function* images() {
      yield image(1);
      yield { width: 3, height: 3, hu: new Int16Array(8) };
      yield image(2);
    }
    const results = await collect(open().denoise(images(), options));
    expect(results).toMatchObject([
      { ok: true },
      { ok: false, error: { code: 'IMAGE_INVALID' } },
      { ok: true },
    ]);
  });

  it('may fail itself', async () => {
    async function* images() {
      yield image(1);
      throw new DenoiseError('FILE_UNREADABLE');
    }
    await expect(collect(open().denoise(images(), options))).rejects.toThrow(refusal('FILE_UNREADABLE'));
  });

  it('may be empty', async () => {
    async function* images(): AsyncGenerator<HuImage> {}
    expect(await collect(open().denoise(images(), options))).toEqual([]);
  });

  it('is closed when nobody wants more', async () => {
    let closed = false;
    async function* images() {
      try {
        for (let i = 0; ; i++) yield image(i);
      } finally {
        closed = true;
      }
    }
    for await (const result of open().denoise(images(), options)) {
      expect(result.ok).toBe(true);
      break;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(closed).toBe(true);
  });
});
