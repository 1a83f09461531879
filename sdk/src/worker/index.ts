export type { DecryptJob, EncryptJob, HeJob, HeJobResults } from './jobs.ts';
export type {
  OutgoingMessage,
  PrivateEvent,
  PrivateJob,
  PrivateOutcome,
  PrivateStep,
} from './private-jobs.ts';
export { decryptShare, encryptShare, shareLayer, type ShareGroup, type ShareLayer } from './share-cipher.ts';
export type { SpawnWorker } from './spawn.ts';
export { WorkerPool, type HeWorker } from './worker-pool.ts';
