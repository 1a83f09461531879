import type { HuImage } from '../image/index.ts';
import type { CheckedPlan } from '../plan/index.ts';
import type { PrivateAddress, PrivateKind, PrivateMessage } from '../private-session/index.ts';

/** Sends a message of the session; its payload is copied at once. */
export type SendPrivate = (address: PrivateAddress, payload: Uint8Array) => void;

/** One step of a run in private mode. All steps of a run go to one worker, which holds its secrets. */
export interface PrivateJob {
  readonly kind: 'private';
  /** Name of the parameter set. */
  readonly set: string;
  /** Runs of one worker do not know of one another. */
  readonly run: number;
  readonly step: PrivateStep;
}

/** What a worker is told of a run. */
export type PrivateStep =
  /** A session begins. What is left of the one before is dropped, but for what a slice can be resumed with. */
  | { readonly kind: 'start'; readonly plan: CheckedPlan }
  | { readonly kind: 'message'; readonly message: PrivateMessage }
  /** Prepare a slice; `resume` the one that broke off. Slices of a session are numbered from 1 on. */
  | {
      readonly kind: 'open';
      readonly slice: number;
      readonly height: number;
      readonly width: number;
      readonly resume: boolean;
    }
  /** The slice is prepared, and none before it is open: here is its image. */
  | { readonly kind: 'run'; readonly slice: number; readonly image: HuImage }
  /** The session broke off: all of it is dropped, but for what the slice that runs can be resumed with. */
  | { readonly kind: 'break' }
  /** Nothing of the run stays. */
  | { readonly kind: 'end' };

/** What came of a step. */
export interface PrivateOutcome {
  readonly messages: readonly OutgoingMessage[];
  readonly events: readonly PrivateEvent[];
}

/** A message for the host, in a buffer of its own. */
export interface OutgoingMessage {
  readonly kind: PrivateKind;
  /** 0: of no slice. */
  readonly slice: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** What a run has come to. */
export type PrivateEvent =
  /** Slices can be opened. */
  | { readonly kind: 'ready' }
  | { readonly kind: 'prepared'; readonly slice: number }
  | {
      readonly kind: 'progress';
      readonly part: 'offline' | 'online';
      readonly slice: number;
      readonly layer: number;
      /** Tiles, or pieces of activations. */
      readonly units: number;
    }
  | {
      readonly kind: 'finished';
      readonly slice: number;
      readonly image: HuImage;
      /** Answers that it waited for with its image, one after another. */
      readonly rounds: number;
    };
