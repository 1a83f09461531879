import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { SpawnWorker } from './spawn.ts';

export const spawnWorker: SpawnWorker = ({ workerUrl, onReply, onFailure }) => {
  const worker = new Worker(new URL(workerUrl ?? './node-worker.js', import.meta.url));
  worker.on('message', onReply);
  worker.on('error', onFailure);
  worker.on('exit', (code) => onFailure(new Error(`exit code ${code}`)));
  worker.unref();
  return {
    post: (message, transfer) => worker.postMessage(message, transfer),
    terminate: () => {
      worker.removeAllListeners();
      void worker.terminate();
    },
  };
};

export const processors = (): number => availableParallelism();
