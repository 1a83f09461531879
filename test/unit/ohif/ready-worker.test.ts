import { describe, expect, test } from '@jest/globals';
import { ReadyWorker } from '#ohif/run/ready-worker.js';

interface FakeWorker {
  readonly messages: unknown[];
  ended: boolean;
}

function fakeWorkers(): { readonly started: FakeWorker[]; readonly start: () => Worker } {
  const started: FakeWorker[] = [];
  const start = (): Worker => {
    const worker = {
      messages: [] as unknown[],
      ended: false,
      postMessage: (message: unknown) => worker.messages.push(message),
      terminate: () => (worker.ended = true),
    };
    started.push(worker);
    return worker as unknown as Worker;
  };
  return { started, start };
}

const settings = {
  serverUrl: 'http://host.test/',
  workers: 2,
  heWorkerUrl: 'http://viewer.test/he-worker.js',
  sealWasmUrl: 'http://viewer.test/seal.wasm',
  model: 'linear',
};
const logins = { archive: {}, host: {} };

describe('a worker that is ready before the run', () => {
  test('is started once, told what to prepare, and taken once', () => {
    const { started, start } = fakeWorkers();
    const ready = new ReadyWorker(start);
    ready.prepare(settings, logins);
    ready.prepare({ ...settings }, logins);
    expect(started.map(({ messages }) => messages)).toEqual([[{ kind: 'prepare', settings, logins }]]);
    expect(ready.take(settings)).toBe(started[0]);
    expect(ready.take(settings)).not.toBe(started[0]);
    ready.end();
    expect(started.map(({ ended }) => ended)).toEqual([false, false]);
  });

  test('of another model or host is ended, and not used', () => {
    for (const change of [{ model: 'balanced' }, { serverUrl: 'http://other.test/' }]) {
      const { started, start } = fakeWorkers();
      const ready = new ReadyWorker(start);
      ready.prepare(settings, logins);
      expect(ready.take({ ...settings, ...change })).toBe(started[1]);
      expect(started.map(({ ended }) => ended)).toEqual([true, false]);
      ready.prepare(settings, logins);
      ready.prepare({ ...settings, ...change }, logins);
      expect(started.map(({ ended }) => ended)).toEqual([true, false, true, false]);
    }
  });

  test('is freed when the viewer shows something else', () => {
    const { started, start } = fakeWorkers();
    const ready = new ReadyWorker(start);
    ready.prepare(settings, logins);
    ready.end();
    expect(started[0]?.ended).toBe(true);
  });
});
