// Beside this file both as compiled and as bundled: that is how each bundler finds them.

export const startRunWorker = (): Worker =>
  new Worker(new URL('./run-worker.js', import.meta.url), { type: 'module' });

export const heWorkerUrl = (): string => new URL('./he-worker.js', import.meta.url).href;

export const sealWasmUrl = (): string => new URL('./seal_allows.wasm', import.meta.url).href;
