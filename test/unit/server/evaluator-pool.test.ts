import { afterEach, describe, expect, test } from '@jest/globals';
import { layerExchange, planTiling } from '@cipherdose/sdk/packing';
import { encodeFrameHeader, frameHeaderBytes, parameterSet } from '@cipherdose/sdk/protocol';
import { evaluateFrame } from '#server/evaluator/evaluate-frame.js';
import { EvaluatorPool } from '#server/evaluator/evaluator-pool.js';
import { evaluationContext } from '../../support/encrypted-layers.ts';
import { poolNetwork, poolNode } from '../../support/evaluation-worker.ts';

const workerUrl = new URL('../../dist/support/evaluation-worker.js', import.meta.url);
const set = parameterSet('n4096-q60-t28');
const network = poolNetwork();
const { digest } = network.plan;

function requestFrame(fill = 0): Uint8Array<ArrayBuffer> {
  const map = { height: 40, width: 40 };
  const tiling = planTiling(poolNode, map.height, map.width, set);
  const { request } = layerExchange(digest, poolNode, set, map, tiling, { firstTile: 0, tiles: 1 });
  const frame = new Uint8Array(frameHeaderBytes + request.bodyBytes).fill(fill);
  encodeFrameHeader({ kind: 'request', ...request }, frame);
  return frame;
}

const job = (modelDirectory: string, frame = requestFrame()) => ({ modelDirectory, digest, layer: 0, frame });

describe('evaluator pool', () => {
  let pool: EvaluatorPool;
  const open = (threads: number, maxQueue: number): EvaluatorPool =>
    (pool = new EvaluatorPool({ threads, maxQueue, workerUrl }));
  afterEach(async () => {
    await pool.close();
  });

  test('answers as the evaluator does, and moves the frame instead of copying it', async () => {
    const frame = requestFrame();
    const expected = evaluateFrame(evaluationContext(network), frame);
    expect(await open(1, 1).evaluate(job('model', frame))).toEqual(expected);
    expect(frame.byteLength).toBe(0);
  });

  test('errors keep their code and details', async () => {
    const frame = requestFrame(0xff);
    await expect(open(1, 1).evaluate(job('model', frame))).rejects.toMatchObject({
      name: 'DenoiseError',
      code: 'FRAME_RESIDUE',
      details: { tile: 0, channel: 0, coefficient: 0 },
    });
    await expect(pool.evaluate({ ...job('model'), layer: 7 })).rejects.toMatchObject({
      code: 'LAYER_UNKNOWN',
    });
    await expect(pool.evaluate({ ...job('model'), digest: 'a'.repeat(64) })).rejects.toMatchObject({
      code: 'MODEL_DIGEST',
    });
  });

  test('an unexpected error is INTERNAL: its text is the cause, not a detail', async () => {
    await expect(open(1, 1).evaluate(job('throw'))).rejects.toMatchObject({
      code: 'INTERNAL',
      retryable: true,
      details: {},
      cause: { message: expect.stringContaining('secret/path') },
    });
  });

  test('a full queue is HOST_BUSY, and empties', async () => {
    open(1, 1);
    const running = [pool.evaluate(job('slow')), pool.evaluate(job('slow'))];
    await expect(pool.evaluate(job('model'))).rejects.toMatchObject({ code: 'HOST_BUSY', retryable: true });
    expect(pool.pending).toBe(2);
    await Promise.all(running);
    expect(pool.pending).toBe(0);
    expect(await pool.evaluate(job('model'))).toBeInstanceOf(Uint8Array);
  });

  test('a thread that dies fails its frame alone, and the next frames are answered', async () => {
    open(1, 4);
    const results = await Promise.allSettled([
      pool.evaluate(job('exit')),
      pool.evaluate(job('model')),
      pool.evaluate(job('exit')),
      pool.evaluate(job('model')),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'rejected', 'fulfilled']);
    expect(results[0]).toMatchObject({ reason: { code: 'INTERNAL', retryable: true } });
    expect(await pool.evaluate(job('model'))).toBeInstanceOf(Uint8Array);
  });

  test('a closed pool is HOST_CLOSING', async () => {
    await open(1, 1).close();
    await expect(pool.evaluate(job('model'))).rejects.toMatchObject({ code: 'HOST_CLOSING' });
  });
});
