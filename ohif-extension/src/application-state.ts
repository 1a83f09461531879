import type { ModelDetail, ModelSummary } from '@cipherdose/sdk';
import type { FailureText } from './panel/failure-text.ts';
import type { RunPhase } from './panel/wording.ts';
import type { DenoisedSeries } from './run/denoised-series.ts';
import type { Stage } from './run/stage-clock.ts';
import type { UserSettings } from './settings/user-settings.ts';
import type { LocalSeries } from './viewer/local-series.ts';

export type Connection =
  | { readonly state: 'untested' | 'testing' }
  | { readonly state: 'ok'; readonly milliseconds: number }
  | { readonly state: 'failed'; readonly failure: FailureText };

export interface RunView {
  readonly series: DenoisedSeries;
  readonly phase: RunPhase;
  readonly slicesDone: number;
  readonly slices: number;
  /** Part of the work that is done, 0..1. */
  readonly part: number;
  readonly secondsLeft: number | undefined;
  readonly bytesUp: number;
  readonly bytesDown: number;
}

/** What the last run took. */
export interface RunReport {
  readonly slices: number;
  readonly seconds: number;
  readonly bytesUp: number;
  readonly bytesDown: number;
  readonly stages: Readonly<Record<Stage, number>>;
}

export interface ResultView {
  readonly series: DenoisedSeries;
  readonly local: LocalSeries;
  readonly sourceUid: string;
  readonly difference?: LocalSeries;
}

/** All that the panel shows. */
export interface ApplicationState {
  readonly settings: UserSettings;
  readonly apiKey: string;
  readonly connection: Connection;
  readonly models: readonly ModelSummary[];
  /** The chosen model with its card, once it is loaded. */
  readonly detail: ModelDetail | undefined;
  /** The series in the active viewport. */
  readonly series: {
    readonly slices: number;
    readonly description: string;
    readonly reason: string | undefined;
  };
  readonly run: RunView | undefined;
  readonly report: RunReport | undefined;
  readonly failure: FailureText | undefined;
  /** Said aloud. */
  readonly announcement: string;
  readonly results: readonly ResultView[];
  readonly writing: { readonly what: string; readonly written: number; readonly total: number } | undefined;
}
