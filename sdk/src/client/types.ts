import type { DenoiseError } from '../errors/index.ts';
import type { HuImage } from '../image/index.ts';
import type { Mode } from '../protocol/index.ts';
import type { OpenSocket } from '../transport/index.ts';

/** How a {@link DenoiseClient} is made. */
export interface DenoiseClientOptions {
  /** Address of the model host, for example `https://models.example.org`. */
  readonly serverUrl: string;
  /** Replaces the global fetch. */
  readonly fetch?: typeof fetch;
  /** Replaces the global WebSocket, which private mode uses beside `fetch`: behind a proxy both need the same way. */
  readonly openSocket?: OpenSocket;
  /** HE workers; each makes and keeps its own secret key. Default: as many as processors, at most 4. */
  readonly workers?: number;
  /** Sent as a bearer token. */
  readonly apiKey?: string;
  /** Attempts for each retryable failure, the first included. Default 5. */
  readonly attempts?: number;
  /** Longest wait for one answer of the host, milliseconds. Default 60 000. */
  readonly timeoutMs?: number;
  /** Where the bundle of the worker stands; needed in bundled browser code (entry `@cipherdose/sdk/worker`). */
  readonly workerUrl?: string | URL;
  /** Where `seal_allows.wasm` stands; needed in bundled browser code (`@cipherdose/sdk/seal.wasm`). */
  readonly sealWasmUrl?: string | URL;
}

/** What one run of {@link DenoiseClient.denoise} does. */
export interface DenoiseOptions {
  /** Model id, as listed by `client.models()`. */
  readonly model: string;
  /** Default: the first mode that the model offers. What each side learns in it: `modeDisclosure`. */
  readonly mode?: Mode;
  /** Refuse the model unless its plan has this SHA-256. */
  readonly digest?: string;
  /** How much of the result goes into the slice, in whole percent, 0..100, the rest is the source; default 100. */
  readonly strengthPercent?: number;
  readonly signal?: AbortSignal;
  /** Called after each step. */
  readonly onProgress?: (progress: DenoiseProgress) => void;
  /**
   * Slices under way at once. Default 3. In private mode one runs and the others are prepared, and the host says how many
   * there may be at most.
   */
  readonly slicesInFlight?: number;
  /** How many slices a stream will bring, for the estimates in the progress; known for a list. */
  readonly expectedSlices?: number;
}

/** What a slice is at. `evaluate` is the wait for the host. */
export type DenoisePhase = 'prepare' | 'encrypt' | 'evaluate' | 'decrypt' | 'done';

/** One step forward of a run. */
export interface DenoiseProgress {
  readonly phase: DenoisePhase;
  /** Index of the slice that this step belongs to. */
  readonly slice: number;
  /** Linear layer of that slice, from 0. */
  readonly layer: number;
  readonly layers: number;
  /** Tiles of all slices and layers together; in private mode also activations, by the piece, prepared and done. */
  readonly tilesDone: number;
  readonly tiles: number;
  readonly slicesDone: number;
  readonly slices: number;
  /** Bytes sent and received so far. */
  readonly bytesUp: number;
  readonly bytesDown: number;
  /** Estimate; undefined until something was measured. */
  readonly secondsLeft: number | undefined;
}

/** What one part of a slice took. */
export interface PhaseStatistics {
  readonly seconds: number;
  readonly bytesUp: number;
  readonly bytesDown: number;
}

/** What one slice took. */
export interface SliceStatistics extends PhaseStatistics {
  /** Answers that the slice waited for, one after another. */
  readonly rounds: number;
  /**
   * Private mode only: what does not need the image and can be done before, and what is done with the image. The session
   * is set up at the expense of its first slice. Bytes of attempts that broke off are counted.
   */
  readonly phases?: { readonly offline: PhaseStatistics; readonly online: PhaseStatistics };
}

/** Where a failed slice can go on: pass it to `client.resume`. Holds intermediate values, keep it on the client. */
export interface SliceCheckpoint {
  readonly index: number;
  readonly layer: number;
}

/** One slice that is done, or the reason why it is not. `index` is its place in what was passed in, from 0. */
export type SliceResult =
  | {
      readonly ok: true;
      readonly index: number;
      readonly image: HuImage;
      readonly statistics: SliceStatistics;
    }
  | {
      readonly ok: false;
      readonly index: number;
      readonly error: DenoiseError;
      readonly checkpoint?: SliceCheckpoint;
    };
