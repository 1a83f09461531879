import type { SerialisedError } from '../errors/index.ts';
import type { FeatureMap, HuImage } from '../image/index.ts';
import type { TileGroup, Tiling } from '../packing/index.ts';
import type { CheckedPlan, WalkProgress } from '../plan/index.ts';
import type { FrameExpectation, LinearNode } from '../protocol/index.ts';
import type { PrivateJob, PrivateOutcome } from './private-jobs.ts';

interface GroupJob {
  /** Name of the parameter set. */
  readonly set: string;
  readonly node: LinearNode;
  readonly tiling: Tiling;
  readonly group: TileGroup;
  /** What the frame's header has to say. */
  readonly expectation: FrameExpectation;
}

/** Encrypt one tile group of a map into a request frame. */
export interface EncryptJob extends GroupJob {
  readonly kind: 'encrypt';
  readonly map: FeatureMap;
}

/** Decrypt a reply frame; only the worker that encrypted the request can. */
export interface DecryptJob extends GroupJob {
  readonly kind: 'decrypt';
  readonly frame: Uint8Array<ArrayBuffer>;
}

/** Do what a plan does in the clear up to its next linear layer, or to its end. */
export interface WalkJob {
  readonly kind: 'walk';
  readonly plan: CheckedPlan;
  readonly image: HuImage;
  /** Where the walk stands; it begins if there is none. */
  readonly progress?: WalkProgress | undefined;
}

/** Make the key of a parameter set ahead of the first encryption. */
export interface PrepareJob {
  readonly kind: 'prepare';
  /** Name of the parameter set. */
  readonly set: string;
}

export type HeJob = WalkJob | EncryptJob | DecryptJob | PrepareJob | PrivateJob;

export interface HeJobResults {
  readonly walk: WalkProgress;
  readonly encrypt: Uint8Array<ArrayBuffer>;
  readonly decrypt: Int32Array<ArrayBuffer>;
  /** Empty. */
  readonly prepare: Uint8Array<ArrayBuffer>;
  readonly private: PrivateOutcome;
}

/** First message to a worker: it loads SEAL and answers with id -1. */
export interface WorkerStart {
  readonly sealWasmUrl?: string;
}

export interface WorkerRequest {
  readonly id: number;
  readonly job: HeJob;
}

export interface WorkerReply {
  readonly id: number;
  readonly result?: HeJobResults[HeJob['kind']];
  readonly error?: SerialisedError;
}

/** Id of the reply that says that a worker is ready. */
export const readyId = -1;
