export type { DecryptJob, EncryptJob, HeJob, HeJobResults } from './jobs.ts';
export type { SpawnWorker } from './spawn.ts';
export { WorkerPool, type HeWorker } from './worker-pool.ts';
