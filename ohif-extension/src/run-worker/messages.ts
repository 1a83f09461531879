import type { DenoiseProgress, Mode } from '@cipherdose/sdk';
import type { SerialisedError } from '@cipherdose/sdk/errors';
import type { InstanceAddress } from '../dicomweb/dicomweb-archive.ts';
import type { Stage } from '../run/stage-clock.ts';

/** Headers that log in, as they are now: tokens are renewed during a long run. */
export interface Logins {
  readonly archive: Readonly<Record<string, string>>;
  readonly host: Readonly<Record<string, string>>;
}

/** What the workers of a run need to be ready. */
export interface HostSettings {
  readonly serverUrl: string;
  readonly workers: number | undefined;
  readonly heWorkerUrl: string;
  readonly sealWasmUrl: string;
  readonly model: string;
}

export interface RunSettings extends HostSettings {
  readonly wadoRoot: string;
  readonly mode: Mode;
  readonly digest: string;
  readonly rows: number;
  readonly columns: number;
  readonly slicesInFlight: number;
  readonly expectedSlices: number;
  readonly logins: Logins;
}

/** Which slice comes next; undefined: no more. */
export interface NextSlice {
  readonly index: number;
  readonly address: InstanceAddress;
}

export type ToRunWorker =
  /** Get ready for a run that may come; answered by nothing. */
  | { readonly kind: 'prepare'; readonly settings: HostSettings; readonly logins: Logins }
  | { readonly kind: 'start'; readonly settings: RunSettings }
  | { readonly kind: 'next'; readonly next: NextSlice | undefined; readonly logins: Logins };

export interface RunProgress {
  readonly progress: DenoiseProgress;
  /** Seconds. */
  readonly stages: Readonly<Record<Stage, number>>;
}

export type FromRunWorker =
  /** Room for one more slice; answered by `next`. */
  | { readonly kind: 'want' }
  | ({ readonly kind: 'progress' } & RunProgress)
  | {
      readonly kind: 'slice';
      readonly index: number;
      readonly source: Int16Array<ArrayBuffer>;
      readonly denoised: Int16Array<ArrayBuffer>;
    }
  | { readonly kind: 'failed'; readonly index: number; readonly error: SerialisedError }
  | { readonly kind: 'end'; readonly error?: SerialisedError };
