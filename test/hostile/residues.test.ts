import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { frameBytes } from '@cipherdose/sdk/packing';
import { decodeFrameHeader, frameContentType } from '@cipherdose/sdk/protocol';
import { startHost, type RunningHost } from '@cipherdose/server';
import { requestFrame, tinyExchange } from '../support/tiny-models.ts';
import { writeTinyModel } from '../support/tiny-model-folder.ts';

let folder: string;
let digest: string;
let host: RunningHost;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cipherdose-models-'));
  digest = await writeTinyModel(folder);
  host = await startHost({ models: folder, threads: 1 });
});
afterAll(async () => {
  await host.close();
  await rm(folder, { recursive: true });
});

async function post(frame: Uint8Array<ArrayBuffer>): Promise<Response> {
  return fetch(`${host.url}/v1/models/tiny/layers/0`, {
    method: 'POST',
    body: frame,
    headers: { 'content-type': frameContentType },
  });
}

async function expectReply(): Promise<void> {
  const response = await post(requestFrame({ digest }));
  expect(response.status).toBe(200);
  const reply = new Uint8Array(await response.arrayBuffer());
  const expected = tinyExchange().reply;
  expect(reply.length).toBe(frameBytes(expected));
  expect(decodeFrameHeader(reply, 'reply')).toEqual({ kind: 'reply', ...expected, digest });
}

test('a frame of good residues is evaluated by a real thread', expectReply);

test.each([
  ['the first residue', 64],
  ['a residue in the middle', 64 + 15_360 - 4],
  ['a residue of the second prime', 64 + 15_360 + 8],
])('%s outside its modulus is refused', async (_what, at) => {
  const frame = requestFrame({ digest });
  // Ones everywhere are 2^30 - 1, more than any prime.
  frame.fill(0xff, at, at + 8);
  const response = await post(frame);
  const { error } = (await response.json()) as { error: { code: string; requestId: string } };
  expect([response.status, error.code]).toEqual([400, 'FRAME_RESIDUE']);
  await expectReply();
});

// The primes are so close to 2^30 that random bytes are a good frame about every second time.
test('a body of random bytes under a good header is evaluated or refused for a residue', async () => {
  const seen = new Set<string>();
  for (let seed = 1; seed <= 20; seed++) {
    const frame = requestFrame({ digest });
    for (let i = 64; i < frame.length; i++) frame[i] = (Math.imul(i + 1, 2654435761 * seed) >>> 11) & 255;
    const response = await post(frame);
    const text = response.status === 200 ? 'OK' : await response.text();
    seen.add(/FRAME_RESIDUE|OK/.exec(text)?.[0] ?? text);
  }
  expect([...seen].filter((code) => code !== 'OK' && code !== 'FRAME_RESIDUE')).toEqual([]);
  await expectReply();
});
