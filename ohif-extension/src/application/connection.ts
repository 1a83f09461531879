import { DenoiseError } from '@cipherdose/sdk/errors';
import type { ApplicationState } from '../application-state.ts';
import {
  chooseModel,
  metadataClient,
  offeredModels,
  type HostAccess,
  type ModelChoice,
} from '../model-host.ts';
import { failureText } from '../panel/failure-text.ts';
import type { Store } from '../run/store.ts';
import type { AdminSettings } from '../settings/admin-settings.ts';
import { saveUserSettings, type UserSettings } from '../settings/user-settings.ts';
import type { Viewer } from '../viewer/viewer.ts';

/** The model host: how it is reached, what it offers, and what was chosen of that. */
export interface Connection {
  access(): HostAccess;
  choice(): ModelChoice | undefined;
  /** Asks what the host offers, and shows the answer or why there is none. */
  test(): Promise<void>;
  changeSettings(change: Partial<UserSettings>): void;
  setApiKey(key: string): void;
  /** Waits for no answer any more. */
  end(): void;
}

export const keyStorage = 'cipherdose.api-key';

/** @param onChosen a model that is offered is chosen */
export function createConnection(
  viewer: Viewer,
  admin: AdminSettings,
  state: Store<ApplicationState>,
  onChosen: () => void,
): Connection {
  let testing: AbortController | undefined;

  const access = (): HostAccess => ({
    admin,
    user: state.get().settings,
    apiKey: state.get().apiKey,
    authorization: viewer.authorization,
  });

  const choice = (): ModelChoice | undefined => chooseModel(state.get().models, state.get().settings, admin);

  async function loadCard(): Promise<void> {
    const chosen = choice();
    if (!chosen || state.get().detail?.digest === chosen.model.digest) return;
    state.set({ detail: undefined });
    try {
      const detail = await metadataClient(access()).model(chosen.model.id);
      if (choice()?.model.digest === detail.digest) state.set({ detail });
    } catch (error) {
      state.set({ connection: { state: 'failed', failure: failureText(error) } });
    }
  }

  async function test(): Promise<void> {
    testing?.abort();
    const own = (testing = new AbortController());
    state.set({ connection: { state: 'testing' } });
    const started = performance.now();
    try {
      const models = await offeredModels(access(), own.signal);
      if (own.signal.aborted) return;
      const milliseconds = performance.now() - started;
      if (models.length === 0) throw new DenoiseError('HOST_NOT_READY');
      const announcement = 'The server is connected.';
      state.set({ connection: { state: 'ok', milliseconds }, models, announcement });
      await loadCard();
      if (!own.signal.aborted) onChosen();
    } catch (error) {
      if (own.signal.aborted) return;
      const failure = failureText(error);
      state.set({ connection: { state: 'failed', failure }, models: [], announcement: failure.title });
    }
  }

  return {
    access,
    choice,
    test,
    changeSettings(change) {
      const settings = { ...state.get().settings, ...change };
      saveUserSettings(localStorage, settings);
      state.set({ settings });
      void loadCard();
    },
    setApiKey(apiKey) {
      sessionStorage.setItem(keyStorage, apiKey);
      state.set({ apiKey });
    },
    end: () => testing?.abort(),
  };
}
