import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { SpawnWorker } from './spawn.ts';

export const spawnWorker: SpawnWorker = ({ workerUrl, onReply, onFailure }) => {
  const worker = new Worker(new URL(workerUrl ?? './node-worker.js', import.meta.url));
  // The process stays for a worker that owes a reply, one for each message, and may end beside an idle one.
  let owed = 0;
  worker.on('message', (reply) => {
    if (--owed === 0) worker.unref();
    onReply(reply);
  });
  worker.on('error', onFailure);
  worker.on('exit', (code) => onFailure(new Error(`exit code ${code}`)));
  return {
    post: (message, transfer) => {
      if (owed++ === 0) worker.ref();
      worker.postMessage(message, transfer);
    },
    terminate: () => {
      worker.removeAllListeners();
      void worker.terminate();
    },
  };
};

export const processors = (): number => availableParallelism();
