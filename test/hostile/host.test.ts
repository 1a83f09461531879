import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { setTimeout as wait } from 'node:timers/promises';
import { DenoiseError } from '@cipherdose/sdk/errors';
import { frameBytes } from '@cipherdose/sdk/packing';
import { frameContentType } from '@cipherdose/sdk/protocol';
import type { HostParts } from '#server/app.js';
import { checkConfig } from '#server/config.js';
import { listen, type RunningHost } from '#server/listen.js';
import type { FrameEvaluator, HostedModel } from '#server/model-source.js';
import type {} from '#server/plugins/admission.js';
import { collectGarbage } from '../support/collect-garbage.ts';
import { closed, exchangeRaw, openSocket, postHead, readResponse } from '../support/raw-http.ts';
import { requestFrame, stubEvaluator, stubModels, tinyExchange, tinyModel } from '../support/tiny-models.ts';

const hosts: RunningHost[] = [];
async function startHost(settings: object = {}, parts: Partial<HostParts> = {}): Promise<RunningHost> {
  const config = checkConfig({ port: 0, open: true, logLevel: 'silent', ...settings });
  const started = await listen({ config, models: stubModels(), evaluator: stubEvaluator(), ...parts });
  hosts.push(started);
  return started;
}

const postFrame = (host: RunningHost, frame: Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}) =>
  fetch(`${host.url}/v1/models/tiny/layers/0`, {
    method: 'POST',
    body: frame,
    headers: { 'content-type': frameContentType, ...headers },
  });

let host: RunningHost;
beforeAll(async () => {
  host = await startHost();
});
afterAll(async () => {
  for (const started of hosts) await started.close();
});

/** After every attack the host still does its work, and nothing of the attack is left. */
async function expectUnharmed(attacked: RunningHost = host): Promise<void> {
  const response = await postFrame(attacked, requestFrame());
  expect(response.status).toBe(200);
  expect((await response.arrayBuffer()).byteLength).toBe(frameBytes(tinyExchange().reply));
  for (let i = 0; i < 100 && attacked.app.admission.running > 0; i++) await wait(20);
  expect(attacked.app.admission.running).toBe(0);
}

const codeOf = (body: string): unknown => (JSON.parse(body) as { error: { code: unknown } }).error.code;

describe('lengths', () => {
  test.each([
    ['a content-length beyond the limit', postHead(2 ** 40), 413, 'BODY_TOO_LARGE'],
    ['a content-length beyond 2^53', postHead('9007199254740993000'), 413, 'BODY_TOO_LARGE'],
    ['no content-length', postHead(), 411, 'BODY_LENGTH_REQUIRED'],
    ['a content-length of 0', postHead(0), 400, 'FRAME_LENGTH'],
    ['a content-length below the header', postHead(63), 400, 'FRAME_LENGTH'],
    ['a negative content-length', postHead(-1), 400, 'REQUEST_INVALID'],
    ['a content-length that is no number', postHead('12x'), 400, 'REQUEST_INVALID'],
    ['two content-lengths', postHead(100, undefined, 'content-length: 101\r\n'), 400, 'REQUEST_INVALID'],
    ['chunks', postHead(undefined, undefined, 'transfer-encoding: chunked\r\n'), 411, 'BODY_LENGTH_REQUIRED'],
    [
      'chunks and a content-length',
      postHead(100, undefined, 'transfer-encoding: chunked\r\n'),
      400,
      'REQUEST_INVALID',
    ],
  ])('%s is refused before any body is sent', async (_what, head, status, code) => {
    const response = await exchangeRaw(host.url, head);
    expect([response.status, codeOf(response.body)]).toEqual([status, code]);
    await expectUnharmed();
  });

  test('a body that is cut short ends with its connection', async () => {
    const frame = requestFrame();
    for (const sent of [0, 10, 64, 1000, frame.length - 1]) {
      const socket = await openSocket(host.url);
      socket.write(postHead(frame.length));
      socket.end(frame.subarray(0, sent));
      const response = await readResponse(socket);
      expect([0, 400]).toContain(response.status);
      await closed(socket);
    }
    await expectUnharmed();
  });

  test('a frame in single bytes and odd pieces is put together', async () => {
    const frame = requestFrame();
    const socket = await openSocket(host.url);
    socket.setNoDelay(true);
    const response = readResponse(socket);
    socket.write(postHead(frame.length));
    for (const [from, to] of [
      [0, 1],
      [1, 2],
      [2, 63],
      [63, 65],
      [65, 70],
      [70, frame.length],
    ] as const) {
      socket.write(frame.subarray(from, to));
      await wait(5);
    }
    expect((await response).status).toBe(200);
    socket.destroy();
  });
});

describe('headers of frames', () => {
  test.each([
    ['the magic', 0, 0, 'FRAME_MAGIC'],
    ['the version', 4, 9, 'FRAME_VERSION'],
    ['the kind', 5, 1, 'FRAME_KIND'],
    ['a kind that does not exist', 5, 77, 'FRAME_KIND'],
    ['the parameter set', 6, 3, 'FRAME_PARAMETERS'],
    ['the digest', 8, 0x5a, 'FRAME_DIGEST'],
    ['the layer', 40, 7, 'FRAME_LAYER'],
    ['the channels', 42, 2, 'FRAME_GEOMETRY'],
    ['no channels', 42, 0, 'FRAME_GEOMETRY'],
    ['the height', 46, 0xff, 'FRAME_GEOMETRY'],
    ['the width', 51, 0x80, 'FRAME_GEOMETRY'],
    ['the first tile', 55, 0xff, 'FRAME_GEOMETRY'],
    ['the tiles', 57, 0xff, 'FRAME_GEOMETRY'],
    ['no tiles', 56, 0, 'FRAME_GEOMETRY'],
    ['the reserved field', 58, 1, 'FRAME_GEOMETRY'],
    ['the body length', 63, 0xff, 'FRAME_LENGTH'],
  ])('%s wrong: answered after 64 bytes, though the rest never comes', async (_what, at, value, code) => {
    const frame = requestFrame();
    frame[at] = value;
    const response = await exchangeRaw(host.url, postHead(frame.length), frame.subarray(0, 64));
    expect(codeOf(response.body)).toBe(code);
  });

  test('the connection goes on after a refused frame that was sent whole', async () => {
    const frame = requestFrame({ digest: 'f'.repeat(64) });
    const socket = await openSocket(host.url);
    socket.write(postHead(frame.length));
    socket.write(frame);
    expect((await readResponse(socket)).status).toBe(409);
    const good = readResponse(socket);
    socket.write(postHead(frame.length));
    socket.write(requestFrame());
    expect((await good).status).toBe(200);
    socket.destroy();
  });

  test('the connection is cut if the rest of a refused frame does not come', async () => {
    const frame = requestFrame({ digest: 'f'.repeat(64) });
    const socket = await openSocket(host.url);
    socket.write(postHead(frame.length));
    socket.write(frame.subarray(0, 100));
    expect((await readResponse(socket)).status).toBe(409);
    await closed(socket, 4000);
    await expectUnharmed();
  });

  test('a refused residue is the answer, not a crash', async () => {
    const refuse = () => Promise.reject(new DenoiseError('FRAME_RESIDUE'));
    const refusing = await startHost({}, { evaluator: { pending: 0, evaluate: refuse } });
    const response = await postFrame(refusing, requestFrame());
    expect([response.status, codeOf(await response.text())]).toEqual([400, 'FRAME_RESIDUE']);
  });
});

describe('addresses', () => {
  test.each([
    ['GET', '/v1/models/../../etc/passwd', 404],
    ['GET', '/v1/models/..%2f..%2f..%2fetc%2fpasswd', 400],
    ['GET', '/v1/models/%2e%2e', 400],
    ['GET', '/v1/models/..', 400],
    ['GET', '/v1/models/__proto__', 400],
    ['GET', '/v1/models/constructor', 404],
    ['GET', '/v1/models/tiny%00', 400],
    ['GET', `/v1/models/${'a'.repeat(3000)}`, 400],
    ['GET', '//', 404],
    ['GET', '*', 404],
    ['POST', '/v1/models/tiny', 404],
    ['DELETE', '/v1/models/tiny', 404],
    ['PROPFIND', '/v1/models', 404],
    ['POST', '/v1/models/tiny/layers/-1', 400],
    ['POST', '/v1/models/tiny/layers/0/../0', 404],
    ['POST', '/v1/models/tiny/layers/NaN', 400],
  ])('%s %s is refused', async (method, path, status) => {
    const head = `${method} ${path} HTTP/1.1\r\nhost: test\r\ncontent-type: ${frameContentType}\r\n`;
    const response = await exchangeRaw(host.url, `${head}content-length: 0\r\n\r\n`);
    expect([response.status, typeof codeOf(response.body)]).toEqual([status, 'string']);
    expect(response.body).not.toContain('root:');
  });

  test('an unknown model or layer is named', async () => {
    const frame = requestFrame();
    const model = await exchangeRaw(host.url, postHead(frame.length, '/v1/models/none/layers/0'), frame);
    expect([model.status, codeOf(model.body)]).toEqual([404, 'MODEL_UNKNOWN']);
    const layer = await exchangeRaw(host.url, postHead(frame.length, '/v1/models/tiny/layers/1'), frame);
    expect([layer.status, codeOf(layer.body)]).toEqual([404, 'LAYER_UNKNOWN']);
  });
});

describe('what is not HTTP or not a frame', () => {
  test.each([
    ['text', 'hello\r\n\r\n'],
    ['a TLS hello', new Uint8Array([0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3])],
    ['a header without end', `GET / HTTP/1.1\r\nx: ${'y'.repeat(100_000)}`],
    ['a header with a line feed alone', 'GET / HTTP/1.1\nhost: a\n\n'],
  ])('%s gets an error in the usual form, and the connection is closed', async (_what, bytes) => {
    const socket = await openSocket(host.url);
    socket.on('error', () => undefined);
    const answer = readResponse(socket);
    socket.write(bytes);
    const response = await answer;
    expect([response.status, codeOf(response.body)]).toEqual([400, 'REQUEST_INVALID']);
    await closed(socket);
    await expectUnharmed();
  });

  test('random bytes of the right length are refused', async () => {
    for (let seed = 1; seed <= 20; seed++) {
      const frame = requestFrame();
      for (let i = 0; i < frame.length; i++) frame[i] = (Math.imul(i + 1, 2654435761 * seed) >>> 13) & 255;
      const response = await postFrame(host, frame);
      expect([response.status, codeOf(await response.text())]).toEqual([400, 'FRAME_MAGIC']);
    }
    await expectUnharmed();
  });

  test('another content type is refused before the body is read', async () => {
    const head = postHead(1e6).replace(frameContentType, 'application/json');
    const response = await exchangeRaw(host.url, head);
    expect([response.status, codeOf(response.body)]).toEqual([415, 'BODY_TYPE']);
  });
});

describe('time', () => {
  test('an upload of a byte now and then is ended', async () => {
    const slow = await startHost({ bodyTimeoutMs: 400, maxConcurrentRequests: 1 });
    for (const already of [0, 64]) {
      const frame = requestFrame();
      const socket = await openSocket(slow.url);
      const answer = readResponse(socket, 3000);
      socket.write(postHead(frame.length));
      socket.write(frame.subarray(0, already));
      let sent = already;
      const drip = setInterval(() => socket.write(frame.subarray(sent, ++sent)), 50);
      const response = await answer;
      expect([response.status, codeOf(response.body)]).toEqual([408, 'BODY_TIMEOUT']);
      await closed(socket, 4000);
      clearInterval(drip);
    }
    await expectUnharmed(slow);
  });

  test('a request whose head never ends is ended', async () => {
    const slow = await startHost({ bodyTimeoutMs: 300, requestTimeoutMs: 400 });
    const response = await exchangeRaw(slow.url, 'GET /healthz HTTP/1.1\r\nhost: test\r\n');
    expect([response.status, codeOf(response.body)]).toEqual([408, 'BODY_TIMEOUT']);
  });
});

/** The tiny model, but with a reply of 14 MB: more than sockets buffer. */
function wideModel(): { model: HostedModel; evaluator: FrameEvaluator } {
  const nodes = tinyModel.plan.nodes.map((node) =>
    node.op === 'linear' ? { ...node, outChannels: 512 } : node,
  );
  const length = 64 + 512 * tinyExchange().reply.bodyBytes;
  return {
    model: { ...tinyModel, plan: { ...tinyModel.plan, nodes } },
    evaluator: { pending: 0, evaluate: () => Promise.resolve(new Uint8Array(length)) },
  };
}

describe('answers', () => {
  test('that nobody fetches are given up', async () => {
    const { model, evaluator } = wideModel();
    const slow = await startHost({ bodyTimeoutMs: 2000 }, { models: stubModels([model]), evaluator });
    const socket = await openSocket(slow.url);
    socket.on('error', () => undefined).pause();
    socket.write(postHead(requestFrame().length));
    socket.write(requestFrame());
    await wait(1000);
    for (let i = 0; i < 100 && slow.app.admission.running > 0; i++) await wait(50);
    expect(slow.app.admission.running).toBe(0);
    let fetchedTooLate = 0;
    socket.on('data', (chunk: Buffer) => (fetchedTooLate += chunk.length));
    await closed(socket);
    expect(fetchedTooLate).toBeLessThan(14e6);
    const fetched = await postFrame(slow, requestFrame());
    expect((await fetched.arrayBuffer()).byteLength).toBeGreaterThan(14e6);
  });
});

describe('aborted uploads', () => {
  test('leave nothing behind', async () => {
    const { request } = tinyExchange(512, 512, { firstTile: 0, tiles: 8 });
    const frame = requestFrame(request, 512, 512);
    const whole = new Uint8Array(frameBytes(request));
    whole.set(frame.subarray(0, 64));
    const abortOne = async (): Promise<void> => {
      const socket = await openSocket(host.url);
      socket.write(postHead(whole.length));
      socket.write(whole.subarray(0, whole.length - 1000));
      await wait(5);
      socket.resetAndDestroy();
    };
    for (let i = 0; i < 5; i++) await abortOne();
    await expectUnharmed();
    const before = await collectGarbage();
    for (let i = 0; i < 50; i++) await abortOne();
    await expectUnharmed();
    const after = await collectGarbage();
    // 50 uploads of 250 kB would be 12 MB.
    expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(2e6);
    expect(after.heapUsed - before.heapUsed).toBeLessThan(8e6);
  });

  test('by fetch are no different', async () => {
    const slow = await startHost({}, { evaluator: stubEvaluator(300) });
    for (let i = 0; i < 10; i++) {
      const signal = AbortSignal.timeout(30);
      const sent = fetch(`${slow.url}/v1/models/tiny/layers/0`, {
        method: 'POST',
        body: requestFrame(),
        headers: { 'content-type': frameContentType },
        signal,
      });
      await expect(sent).rejects.toThrow();
    }
    await wait(400);
    await expectUnharmed(slow);
    const metrics = await (await fetch(`${slow.url}/metrics`)).text();
    expect(metrics).toContain('code="ABORTED"} 10');
  });
});

describe('too much at once', () => {
  test('uploads that stand still hold a place only until their time is over', async () => {
    const small = await startHost({ maxConcurrentRequests: 2, bodyTimeoutMs: 500 });
    const sockets = await Promise.all([openSocket(small.url), openSocket(small.url)]);
    for (const socket of sockets) socket.write(postHead(requestFrame().length));
    for (let i = 0; i < 100 && small.app.admission.running < 2; i++) await wait(10);
    const refused = await postFrame(small, requestFrame());
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1']);
    expect(codeOf(await refused.text())).toBe('HOST_BUSY');
    await Promise.all(sockets.map((socket) => closed(socket, 4000)));
    await expectUnharmed(small);
  });
});

describe('modes', () => {
  test('a model of private mode alone gives no answer without masks, in whichever version', async () => {
    const evaluator = stubEvaluator();
    const models = stubModels([{ ...tinyModel, modes: ['private'] }]);
    const privateHost = await startHost({}, { models, evaluator });
    const refused = await postFrame(privateHost, requestFrame());
    expect([refused.status, codeOf(await refused.text())]).toEqual([400, 'MODE_UNSUPPORTED']);
    expect(evaluator.frames).toEqual([]);
    const shown = await fetch(`${privateHost.url}/v1/models`);
    expect(await shown.json()).toMatchObject({ models: [{ id: 'tiny', modes: ['private'] }] });
  });
});

describe('closing', () => {
  test('finishes what runs, and refuses what comes on open connections', async () => {
    const closingHost = await startHost({ bodyTimeoutMs: 2000 }, { evaluator: stubEvaluator(500) });
    const running = postFrame(closingHost, requestFrame());
    const late = await openSocket(closingHost.url);
    late.write('GET /v1/models HTTP/1.1\r\n');
    const probe = await openSocket(closingHost.url);
    probe.write('GET /readyz HTTP/1.1\r\n');
    await wait(100);
    const end = closingHost.close();
    await wait(50);
    late.write('host: test\r\n\r\n');
    probe.write('host: test\r\n\r\n');
    for (const socket of [late, probe]) {
      const refused = await readResponse(socket);
      expect([refused.status, codeOf(refused.body)]).toEqual([503, 'HOST_CLOSING']);
      expect(refused.headers).toContain('retry-after: 1');
    }
    expect((await running).status).toBe(200);
    await end;
    await expect(fetch(`${closingHost.url}/healthz`)).rejects.toThrow();
  });

  test('does not wait for ever', async () => {
    const closingHost = await startHost({ closeTimeoutMs: 300 });
    const idle = await openSocket(closingHost.url);
    idle.on('error', () => undefined).write('GET /v1/models HTTP/1.1\r\n');
    await wait(50);
    const start = performance.now();
    await closingHost.close();
    expect(performance.now() - start).toBeLessThan(2000);
  });
});
