import { describe, expect, test } from '@jest/globals';
import { setTimeout as wait } from 'node:timers/promises';
import { DenoiseError } from '@cipherdose/sdk/errors';
import { PrivateConnection, type ConnectionOptions } from '#server/private/connection.js';
import type { SessionFacts } from '#server/private/connection.js';
import { startSessionThread } from '#server/private/session-thread.js';
import type { FromThread, ToThread } from '#server/private/thread-messages.js';

/** A connection whose socket and thread are the test's. */
function open(options: Partial<ConnectionOptions> = {}) {
  const log: string[] = [];
  const posted: ToThread[] = [];
  const slices: string[] = [];
  let hear: (message: FromThread) => void = () => undefined;
  let ended: SessionFacts | undefined;
  const socket = {
    bufferedAmount: 0,
    sent: () => undefined as void,
    send: (bytes: Uint8Array, sent: () => void) => {
      socket.bufferedAmount += bytes.length;
      socket.sent = () => {
        socket.bufferedAmount = 0;
        sent();
      };
    },
    close: (code: number, reason: string) => log.push(`close ${String(code)} ${reason}`),
    terminate: () => log.push('terminate'),
    pause: () => log.push('pause'),
    resume: () => log.push('resume'),
  };
  const connection = new PrivateConnection({
    socket,
    thread: {
      listen: (listener) => (hear = listener),
      post: (message) => posted.push(message),
      stop: async () => void log.push('stop'),
    },
    modelDirectory: 'm',
    digest: 'd',
    slices: 2,
    idleMs: 60_000,
    mostWaitingBytes: 100,
    lingerMs: 1,
    openSlice: ({ slice }) => ({
      grant: { ticket: new Uint8Array(32) },
      reached: () => slices.push(`reached ${String(slice)}`),
      finished: () => slices.push(`finished ${String(slice)}`),
      broken: () => slices.push(`broken ${String(slice)}`),
    }),
    ended: (facts) => (ended = facts),
    ...options,
  });
  const ask = (slice: number) =>
    hear({ kind: 'asked', question: { slice, height: 1, width: 1, activations: [3, 4] } });
  return {
    connection,
    socket,
    log,
    posted,
    slices,
    ask,
    hear: (m: FromThread) => hear(m),
    ended: () => ended,
  };
}

describe('a connection', () => {
  test('reads nothing more while too much waits for the thread', () => {
    const { connection, log, posted, hear } = open();
    connection.receive(new Uint8Array(60));
    expect(log).toEqual([]);
    connection.receive(new Uint8Array(60));
    expect(log).toEqual(['pause']);
    hear({ kind: 'taken', bytes: 60 });
    expect(log).toEqual(['pause', 'resume']);
    expect(posted.map(({ kind }) => kind)).toEqual(['start', 'message', 'message']);
  });

  test('reads nothing more while the client does not fetch what was sent', () => {
    const { socket, log, hear } = open();
    hear({ kind: 'send', bytes: new Uint8Array(101) });
    expect(log).toEqual(['pause']);
    socket.sent();
    expect(log).toEqual(['pause', 'resume']);
  });

  test('says why it ends, stops its thread, and cuts a client that does not close', async () => {
    const { log, hear, ended, ask } = open();
    ask(1);
    hear({ kind: 'failed', error: new DenoiseError('FRAME_RESIDUE').serialise(), stack: '' });
    hear({ kind: 'failed', error: new DenoiseError('INTERNAL').serialise(), stack: '' });
    await wait(20);
    expect(log).toEqual(['close 4400 FRAME_RESIDUE', 'stop', 'terminate']);
    expect(ended()).toMatchObject({ code: 'FRAME_RESIDUE', activations: 7, slices: 0 });
  });

  test('tells no client what is wrong inside', () => {
    const { log, hear } = open();
    hear({ kind: 'failed', error: new DenoiseError('MODEL_DIGEST').serialise(), stack: '' });
    expect(log[0]).toBe('close 4500 INTERNAL');
  });

  test('keeps shares where it broke off, and none where it was done or refused', () => {
    const broken = open();
    broken.ask(1);
    broken.ask(2);
    broken.hear({ kind: 'finished', slice: 1 });
    broken.connection.disconnected();
    expect(broken.slices).toEqual(['finished 1', 'broken 2']);
    const done = open();
    done.ask(1);
    done.connection.done();
    expect(done.slices).toEqual(['finished 1']);
    const refused = open();
    refused.ask(1);
    refused.connection.fail(new DenoiseError('TWO_PARTY_REPLAYED'));
    expect(refused.slices).toEqual(['finished 1']);
  });

  test('deals with what came before it broke off', () => {
    const { connection, slices, socket, ask, hear, ended } = open();
    ask(1);
    connection.receive(new Uint8Array(50));
    connection.disconnected();
    hear({ kind: 'send', bytes: new Uint8Array(10) });
    hear({ kind: 'reached', slice: 1, resumed: { layer: 1, share: new Uint32Array(1) } });
    expect(ended()).toBeUndefined();
    hear({ kind: 'taken', bytes: 50 });
    expect(slices).toEqual(['reached 1', 'broken 1']);
    expect(ended()).toMatchObject({ code: 'ABORTED' });
    expect(socket.bufferedAmount).toBe(0);
  });

  test('is idle only while nothing waits', async () => {
    const { connection, log, hear } = open({ idleMs: 30 });
    connection.receive(new Uint8Array(50));
    await wait(80);
    expect(log).toEqual([]);
    hear({ kind: 'taken', bytes: 50 });
    await wait(80);
    expect(log.slice(0, 2)).toEqual(['close 4408 SESSION_IDLE', 'stop']);
  });

  test('lets a slice that runs end when the host closes, and grants no other', () => {
    const { connection, log, ask, hear, posted } = open();
    ask(1);
    hear({ kind: 'started', slice: 1 });
    connection.finishUp();
    ask(2);
    expect(posted.filter(({ kind }) => kind === 'grant')).toHaveLength(1);
    expect(log).toEqual([]);
    hear({ kind: 'finished', slice: 1 });
    expect(log).toEqual(['close 1001 HOST_CLOSING', 'stop']);
    const idle = open();
    idle.ask(1);
    idle.connection.finishUp();
    expect(idle.log).toEqual(['close 1001 HOST_CLOSING', 'stop']);
  });
});

test('a thread that dies ends its session', async () => {
  const exits = new URL(`data:text/javascript,${encodeURIComponent('process.exit(3)')}`);
  const thread = startSessionThread(exits);
  const message = await new Promise<FromThread>((resolve) => thread.listen(resolve));
  expect(message).toMatchObject({ kind: 'failed', error: { code: 'INTERNAL' } });
  await thread.stop();
});
