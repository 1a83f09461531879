import { serveJobs } from './serve-jobs.ts';

/** What is used of DedicatedWorkerGlobalScope, whose types exclude those of the page. */
interface WorkerScope {
  postMessage(message: unknown, transfer: ArrayBuffer[]): void;
  addEventListener(type: 'message', listener: (event: MessageEvent) => void): void;
}

const scope = globalThis as unknown as WorkerScope;
serveJobs({
  post: (reply, transfer) => scope.postMessage(reply, transfer),
  onMessage: (listener) => scope.addEventListener('message', (event) => listener(event.data)),
});
