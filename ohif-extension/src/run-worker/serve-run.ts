import { config } from 'zod';
import { createDenoiseClient, type DenoiseClient } from '@cipherdose/sdk';
import { DenoiseError } from '@cipherdose/sdk/errors';
import type { FromRunWorker, HostSettings, NextSlice, RunSettings, ToRunWorker } from './messages.ts';
import { runSlices, type RunEvents } from './run-slices.ts';

// A content security policy may forbid eval; without this zod would try it and be reported.
config({ jitless: true });

// A decoder of compressed slices tells its progress by console.log.
globalThis.console.log = () => undefined;

// A whole run happens here and in workers of this worker, so that the viewer stays free. Ending it ends everything:
// requests, keys and memory.

/** What is used of DedicatedWorkerGlobalScope, whose types exclude those of the page. */
interface WorkerScope {
  postMessage(message: FromRunWorker, transfer: ArrayBuffer[]): void;
  addEventListener(type: 'message', listener: (event: MessageEvent<ToRunWorker>) => void): void;
}

const scope = globalThis as unknown as WorkerScope;
const progressMs = 100;
let logins: RunSettings['logins'] = { archive: {}, host: {} };
let client: DenoiseClient | undefined;
let answer: ((next: NextSlice | undefined) => void) | undefined;

const post = (message: FromRunWorker, transfer: ArrayBuffer[] = []): void =>
  scope.postMessage(message, transfer);

scope.addEventListener('message', ({ data }) => {
  if (data.kind === 'prepare') prepare(data);
  else if (data.kind === 'start') void start(data.settings);
  else {
    logins = data.logins;
    answer?.(data.next);
  }
});

function startClient({ serverUrl, heWorkerUrl, sealWasmUrl, workers }: HostSettings): DenoiseClient {
  return createDenoiseClient({
    serverUrl,
    workerUrl: heWorkerUrl,
    sealWasmUrl,
    fetch: (input, init) => {
      const headers = new Headers(init?.headers);
      for (const [name, value] of Object.entries(logins.host)) headers.set(name, value);
      return fetch(input, { ...init, headers });
    },
    ...(workers === undefined ? {} : { workers }),
  });
}

/** What fails here fails again in the run, and is told then. */
function prepare({ settings, logins: current }: Extract<ToRunWorker, { kind: 'prepare' }>): void {
  logins = current;
  client = startClient(settings);
  client.prepare(settings.model).catch(() => undefined);
}

async function start(settings: RunSettings): Promise<void> {
  logins = settings.logins;
  let toldAt = 0;
  const events: RunEvents = {
    next: () =>
      new Promise((resolve) => {
        answer = resolve;
        post({ kind: 'want' });
      }),
    logins: () => logins,
    onSlice: (index, source, denoised) =>
      post({ kind: 'slice', index, source, denoised }, [source.buffer, denoised.buffer]),
    onFailure: (index, error) => post({ kind: 'failed', index, error: error.serialise() }),
    onProgress(progress, stages) {
      if (progress.phase !== 'done' && performance.now() - toldAt < progressMs) return;
      toldAt = performance.now();
      post({ kind: 'progress', progress, stages: { ...stages } });
    },
  };
  try {
    client ??= startClient(settings);
    await runSlices(client, settings, events);
    post({ kind: 'end' });
  } catch (error) {
    post({ kind: 'end', error: DenoiseError.wrap(error, 'UNEXPECTED').serialise() });
  } finally {
    client?.close();
  }
}
