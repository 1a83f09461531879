import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { Finding } from './finding.ts';

const neededNode = { major: 22, minor: 18 };

export function checkNode(version = process.versions.node): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const enough = major > neededNode.major || (major === neededNode.major && minor >= neededNode.minor);
  const needed = enough ? '' : `; ${neededNode.major}.${neededNode.minor} or newer is needed`;
  return { name: 'Node', status: enough ? 'ok' : 'failed', detail: version + needed };
}

// (module (func (result v128) i32.const 0 i8x16.splat i8x16.popcnt)), as in the library wasm-feature-detect
const simdModule = Uint8Array.from(
  [0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0].concat([
    65, 0, 253, 15, 253, 98, 11,
  ]),
);

export function checkSimd(): Finding {
  const there = WebAssembly.validate(simdModule);
  return {
    name: 'WebAssembly',
    status: there ? 'ok' : 'failed',
    detail: there ? 'with SIMD' : 'this machine has no SIMD for WebAssembly',
  };
}

const threadLimitMs = 10_000;

/** Starts a thread and waits for its word. */
export function checkThreads(): Promise<Finding> {
  const worker = new Worker("require('node:worker_threads').parentPort.postMessage('here')", { eval: true });
  return new Promise<Finding>((resolve) => {
    const end = (status: Finding['status'], detail: string): void =>
      resolve({ name: 'worker threads', status, detail });
    const timer = setTimeout(() => end('failed', 'a thread does not answer'), threadLimitMs);
    worker.once('message', () => end('ok', `${availableParallelism()} at once`));
    worker.once('error', (error) => end('failed', error.message));
    worker.once('exit', () => clearTimeout(timer));
  }).finally(() => worker.terminate());
}
