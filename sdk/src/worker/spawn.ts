import type { WorkerReply, WorkerRequest, WorkerStart } from './jobs.ts';

/** The client's end of one worker. */
export interface SpawnedWorker {
  post(message: WorkerStart | WorkerRequest, transfer: ArrayBuffer[]): void;
  /** Stops at once and frees the worker's memory, keys included. */
  terminate(): void;
}

export interface SpawnOptions {
  /** Where the worker's bundle stands; needed in bundled browser code. */
  readonly workerUrl?: string;
  readonly onReply: (reply: WorkerReply) => void;
  /** The worker stopped or failed without being asked to. */
  readonly onFailure: (reason: unknown) => void;
}

export type SpawnWorker = (options: SpawnOptions) => SpawnedWorker;
