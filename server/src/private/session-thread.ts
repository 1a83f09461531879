import { Worker } from 'node:worker_threads';
import { DenoiseError } from '@cipherdose/sdk/errors';
import { threadLimits } from '../evaluator/thread-limits.ts';
import type { FromThread, ToThread } from './thread-messages.ts';

/** A thread that runs one session, then ends. */
export interface SessionThread {
  /** @param listen is told everything; `failed` also if the thread dies */
  listen(listener: (message: FromThread) => void): void;
  post(message: ToThread): void;
  /** Ends it at once, with all it holds. */
  stop(): Promise<void>;
}

/** Starts a thread. @param workerUrl module of the thread */
export function startSessionThread(
  workerUrl = new URL('./session-worker.js', import.meta.url),
): SessionThread {
  const worker = new Worker(workerUrl, { resourceLimits: threadLimits });
  let stopped = false;
  let listener: ((message: FromThread) => void) | undefined;
  const died = (cause: unknown): void => {
    if (stopped) return;
    stopped = true;
    const error = new DenoiseError('INTERNAL', { reason: 'a session thread stopped' }).serialise();
    const stack = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
    listener?.({ kind: 'failed', error, stack });
  };
  worker.on('error', died).on('exit', died).unref();
  return {
    listen: (next) => {
      listener = next;
      worker.on('message', (message: FromThread) => {
        if (!stopped) next(message);
      });
      if (stopped) died('before it was used');
    },
    post: (message) => {
      worker.postMessage(message, transferOf(message));
    },
    stop: async () => {
      stopped = true;
      await worker.terminate();
    },
  };
}

function transferOf(message: ToThread): ArrayBuffer[] {
  if (message.kind === 'message') return [message.bytes.buffer];
  const share = message.kind === 'grant' ? message.grant.resumed?.share : undefined;
  return share ? [share.buffer] : [];
}
