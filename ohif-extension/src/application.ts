import type { ApplicationState, ResultView } from './application-state.ts';
import { createConnection, keyStorage } from './application/connection.ts';
import { createDenoising } from './application/denoising.ts';
import { createNotices } from './application/notices.ts';
import { createResults } from './application/results.ts';
import { createSourceSeries } from './application/source-series.ts';
import { createWriting } from './application/writing.ts';
import type { ModelChoice } from './model-host.ts';
import { createStore, type Store } from './run/store.ts';
import type { AdminSettings } from './settings/admin-settings.ts';
import { loadUserSettings, type UserSettings } from './settings/user-settings.ts';
import { localSeriesMaker } from './viewer/local-series.ts';
import type { Viewer } from './viewer/viewer.ts';

/** What the user can do, and what is seen of it. */
export interface Application {
  readonly state: Store<ApplicationState>;
  readonly admin: AdminSettings;
  changeSettings(change: Partial<UserSettings>): void;
  setApiKey(key: string): void;
  testConnection(): Promise<void>;
  choice(): ModelChoice | undefined;
  /** Why the series in the active viewport cannot be denoised. */
  refusal(): string | undefined;
  denoise(): Promise<void>;
  cancel(): void;
  setStrength(result: ResultView, percent: number): void;
  compare(result?: ResultView): Promise<void>;
  difference(result?: ResultView): Promise<void>;
  blink(): Promise<void>;
  save(result?: ResultView, descriptionSuffix?: string): Promise<void>;
  download(result?: ResultView): Promise<void>;
  discard(result: ResultView): Promise<void>;
  /** Where results are saved, in words. */
  archiveName(): string;
  /** The panel is on screen: messages stand there and not over the images too. @returns it is gone again */
  panelShown(): () => void;
  /** The viewer shows something else. */
  update(): void;
  /** Ends all work and forgets all results. */
  leave(): void;
}

export function createApplication(viewer: Viewer, admin: AdminSettings): Application {
  const local = localSeriesMaker(viewer);
  const state = createStore<ApplicationState>({
    settings: loadUserSettings(localStorage),
    apiKey: sessionStorage.getItem(keyStorage) ?? '',
    connection: { state: 'untested' },
    models: [],
    detail: undefined,
    series: { slices: 0, description: '', reason: 'Open a CT series first.' },
    run: undefined,
    report: undefined,
    failure: undefined,
    announcement: '',
    results: [],
    writing: undefined,
  });
  const notices = createNotices(viewer, state);
  const source = createSourceSeries(viewer, local, state, admin.maxSlices);
  const connection = createConnection(viewer, admin, state, () => denoising.prepare());
  const results = createResults(viewer, local, source, state);
  const denoising = createDenoising({ viewer, admin, state, notices, connection, source, results });
  const writing = createWriting(viewer, admin, notices, state);

  return {
    state,
    admin,
    changeSettings: connection.changeSettings,
    setApiKey: connection.setApiKey,
    testConnection: connection.test,
    choice: connection.choice,
    refusal: source.refusal,
    denoise: denoising.start,
    cancel() {
      denoising.cancel();
      writing.cancel();
    },
    setStrength(result, percent) {
      results.setStrength(result, percent);
      connection.changeSettings({ strength: percent });
    },
    compare: results.compare,
    difference: results.difference,
    blink: results.blink,
    save: (result = results.current(), suffix = admin.descriptionSuffix) => writing.save(result, suffix),
    download: (result = results.current()) => writing.download(result),
    discard: results.discard,
    panelShown: notices.panelShown,
    archiveName: () => viewer.dataSource().getConfig().friendlyName ?? 'the archive of this viewer',
    update: source.update,
    leave() {
      denoising.end();
      writing.cancel();
      connection.end();
      local.clear();
      state.set({ results: [], run: undefined, report: undefined, failure: undefined });
    },
  };
}
