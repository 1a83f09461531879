import type { SerialisedError } from '@cipherdose/sdk/errors';
import type { ResumedShare, SliceGrant, SliceQuestion } from './host-session.ts';

/** What a session thread is told. */
export type ToThread =
  | {
      readonly kind: 'start';
      readonly modelDirectory: string;
      readonly digest: string;
      /** Slices that may be open at once. */
      readonly slices: number;
    }
  /** A message of the client, in a buffer of its own. */
  | { readonly kind: 'message'; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly kind: 'grant'; readonly slice: number; readonly grant: SliceGrant };

/** What it tells. */
export type FromThread =
  | { readonly kind: 'send'; readonly bytes: Uint8Array<ArrayBuffer> }
  /** A message of that length was dealt with. */
  | { readonly kind: 'taken'; readonly bytes: number }
  | { readonly kind: 'asked'; readonly question: SliceQuestion }
  | { readonly kind: 'reached'; readonly slice: number; readonly resumed: ResumedShare }
  | { readonly kind: 'started'; readonly slice: number }
  | { readonly kind: 'finished'; readonly slice: number }
  /** The session is over. The stack is for the host's log, never for the client. */
  | { readonly kind: 'failed'; readonly error: SerialisedError; readonly stack: string };
