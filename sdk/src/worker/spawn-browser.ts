import type { SpawnWorker } from './spawn.ts';

export const spawnWorker: SpawnWorker = ({ workerUrl, onReply, onFailure }) => {
  const worker = new Worker(workerUrl ?? new URL('./browser-worker.js', import.meta.url), { type: 'module' });
  worker.addEventListener('message', (event) => onReply(event.data));
  worker.addEventListener('error', (event) => onFailure(event.message));
  worker.addEventListener('messageerror', () => onFailure('a message could not be read'));
  return {
    post: (message, transfer) => worker.postMessage(message, transfer),
    terminate: () => worker.terminate(),
  };
};

export const processors = (): number => navigator.hardwareConcurrency || 2;
