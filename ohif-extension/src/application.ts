import { DenoiseError } from '@cipherdose/sdk/errors';
import type { ApplicationState, ResultView, RunView } from './application-state.ts';
import {
  chooseModel,
  hostLogin,
  metadataClient,
  offeredModels,
  serverUrl,
  type HostAccess,
  type ModelChoice,
} from './model-host.ts';
import type { DisplaySet, Instance } from './ohif.ts';
import { failureText, waitingText, type FailureText } from './panel/failure-text.ts';
import { count, productTitle } from './panel/wording.ts';
import { DenoisedSeries } from './run/denoised-series.ts';
import { runDenoise } from './run/denoise-run.ts';
import { rangeIndices } from './run/slice-order.ts';
import type { Stage } from './run/stage-clock.ts';
import { createStore, type Store } from './run/store.ts';
import { throughInterruptions } from './run/wait-for-return.ts';
import { saveSeries, zipSeries, type WriteOptions } from './save/save-series.ts';
import type { AdminSettings } from './settings/admin-settings.ts';
import { loadUserSettings, saveUserSettings, type UserSettings } from './settings/user-settings.ts';
import { replaceInViewports, showSideBySide, swapInPlace } from './viewer/compare.ts';
import { localSeriesMaker } from './viewer/local-series.ts';
import { instancesOf, refusalReason } from './viewer/series-check.ts';
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

const keyStorage = 'cipherdose.api-key';

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
  let panels = 0;
  let running: AbortController | undefined;
  let writing: AbortController | undefined;
  let testing: AbortController | undefined;

  const access = (): HostAccess => ({
    admin,
    user: state.get().settings,
    apiKey: state.get().apiKey,
    authorization: viewer.authorization,
  });

  function fail(error: unknown): void {
    const cancelled = error instanceof DenoiseError && error.code === 'CANCELLED';
    tell(failureText(error), cancelled ? 'info' : 'error');
  }

  function tell(failure: FailureText, type: 'info' | 'error' = 'error'): void {
    state.set({ failure, announcement: failure.title });
    viewer.services.uiNotificationService.hide(noticeId);
    if (panels > 0) return;
    viewer.services.uiNotificationService.show({
      id: noticeId,
      title: productTitle,
      message: `${failure.title} ${failure.advice}`,
      type,
      duration: 6000,
    });
  }

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

  async function testConnection(): Promise<void> {
    testing?.abort();
    const own = (testing = new AbortController());
    state.set({ connection: { state: 'testing' } });
    const started = performance.now();
    try {
      const models = await offeredModels(access(), own.signal);
      if (own.signal.aborted) return;
      const milliseconds = performance.now() - started;
      if (models.length === 0) throw new DenoiseError('HOST_NOT_READY');
      state.set({
        connection: { state: 'ok', milliseconds },
        models,
        announcement: 'The server is connected.',
      });
      await loadCard();
    } catch (error) {
      if (own.signal.aborted) return;
      const failure = failureText(error);
      state.set({ connection: { state: 'failed', failure }, models: [], announcement: failure.title });
    }
  }

  function changeSettings(change: Partial<UserSettings>): void {
    const settings = { ...state.get().settings, ...change };
    saveUserSettings(localStorage, settings);
    state.set({ settings });
    void loadCard();
  }

  /** The source series that is meant: the one in the active viewport, or the source of a result that is there. */
  function source(): DisplaySet | undefined {
    const active = viewer.activeDisplaySet();
    if (!local.isLocal(active)) return active;
    const shown = state
      .get()
      .results.find(({ local: one, difference }) =>
        [one, difference].some(
          (made) => made?.displaySet.displaySetInstanceUID === active?.displaySetInstanceUID,
        ),
      );
    return shown && viewer.services.displaySetService.getDisplaySetByUID(shown.sourceUid);
  }

  const refusal = (): string | undefined => refusalReason(source(), admin.maxSlices);

  /** Attributes of each slice, in the order in which the viewer shows them. */
  function orderedInstances(displaySet: DisplaySet): readonly Instance[] {
    const { metaData } = viewer.cornerstone();
    const ids = viewer.dataSource().getImageIdsForDisplaySet(displaySet);
    const found = ids.map((id) => metaData.get('instance', id) as Instance | undefined);
    return found.every((instance) => instance !== undefined) ? found : instancesOf(displaySet);
  }

  /** The slice of a source series that is on screen, in the series itself or in a result. */
  function focusOf(instances: readonly Instance[], series?: DenoisedSeries): number {
    const { metaData } = viewer.cornerstone();
    for (const imageId of viewer.shownImageIds()) {
      const made = local.find(imageId);
      if (made && made.series === series) return made.index;
      const uid = (metaData.get('instance', imageId) as Instance | undefined)?.['SOPInstanceUID'];
      const index = instances.findIndex((instance) => instance['SOPInstanceUID'] === uid);
      if (index >= 0) return index;
    }
    return 0;
  }

  function resultFor(
    displaySet: DisplaySet,
    instances: readonly Instance[],
    chosen: ModelChoice,
  ): ResultView {
    const { results } = state.get();
    const old = results.find(
      ({ sourceUid, series }) =>
        sourceUid === displaySet.displaySetInstanceUID &&
        series.model.digest === chosen.model.digest &&
        series.mode === chosen.mode,
    );
    if (old) return old;
    const [first] = instances as [Instance];
    const text = (instance: Instance, keyword: string): string => String(instance[keyword] ?? '');
    const series = new DenoisedSeries({
      addresses: instances.map((instance) => ({
        studyInstanceUid: text(instance, 'StudyInstanceUID'),
        seriesInstanceUid: text(instance, 'SeriesInstanceUID'),
        sopInstanceUid: text(instance, 'SOPInstanceUID'),
      })),
      rows: Number(first['Rows']),
      columns: Number(first['Columns']),
      description: text(first, 'SeriesDescription'),
      ...chosen,
    });
    const result = {
      series,
      local: local.add(series, 'denoised', instances),
      sourceUid: displaySet.displaySetInstanceUID,
    };
    state.set({ results: [...results, result] });
    return result;
  }

  async function denoise(): Promise<void> {
    if (running) return;
    const displaySet = source();
    const reason = refusal();
    if (!displaySet || reason !== undefined) {
      tell({ title: reason ?? '', advice: 'Select another series in a viewport.' });
      return;
    }
    const own = (running = new AbortController());
    let stages: Readonly<Record<Stage, number>> = { read: 0, encrypt: 0, evaluate: 0, decrypt: 0 };
    const started = performance.now();
    state.set({ failure: undefined, report: undefined, announcement: 'Denoising has started.' });
    try {
      if (state.get().connection.state !== 'ok') await testConnection();
      const { connection } = state.get();
      const chosen = choice();
      if (own.signal.aborted) throw new DenoiseError('CANCELLED');
      if (!chosen) {
        if (connection.state === 'failed') tell(connection.failure);
        return;
      }
      const instances = orderedInstances(displaySet);
      const result = resultFor(displaySet, instances, chosen);
      const { series } = result;
      const range = state.get().settings.range ?? admin.defaultRange;
      const focus = (): number => focusOf(instances, series);
      const indices = rangeIndices(range, focus(), series.slices.length).filter(
        (index) => series.slices[index]?.state !== 'done',
      );
      let view: RunView = {
        ...{ series, phase: 'prepare', slicesDone: 0, slices: indices.length, part: 0 },
        ...{ secondsLeft: undefined, bytesUp: 0, bytesDown: 0 },
      };
      state.set({ run: view });
      if (series.count('done') === 0) void showSideBySide(viewer, [displaySet, result.local.displaySet]);
      const doneOf = (): number => indices.filter((index) => series.slices[index]?.state === 'done').length;
      /** What tries before this one did. */
      let before = { done: 0, bytesUp: 0, bytesDown: 0 };
      const attempt = (): Promise<DenoiseError | undefined> => {
        before = { done: doneOf(), bytesUp: view.bytesUp, bytesDown: view.bytesDown };
        return runDenoise({
          series,
          indices,
          focus,
          logins: () => ({ archive: viewer.loginHeaders(), host: hostLogin(access()) }),
          settings: {
            serverUrl: serverUrl(access()),
            wadoRoot: viewer.wadoRoot(),
            workers: admin.workers,
            heWorkerUrl: new URL('./he-worker.js', import.meta.url).href,
            sealWasmUrl: new URL('./seal_allows.wasm', import.meta.url).href,
            slicesInFlight: admin.slicesInFlight,
          },
          startWorker: () => new Worker(new URL('./run-worker.js', import.meta.url), { type: 'module' }),
          signal: own.signal,
          onSlice(index) {
            result.local.refresh(index);
            result.difference?.refresh(index);
            state.set({ results: [...state.get().results] });
          },
          onProgress({ progress, stages: seconds }) {
            const { phase, tiles, tilesDone, secondsLeft } = progress;
            const slices = indices.length;
            const part = tiles === 0 ? 0 : tilesDone / tiles;
            stages = seconds;
            view = {
              ...{ series, phase, secondsLeft, slices, slicesDone: doneOf() },
              bytesUp: before.bytesUp + progress.bytesUp,
              bytesDown: before.bytesDown + progress.bytesDown,
              part: (before.done + (slices - before.done) * part) / slices,
            };
            state.set({ run: view });
          },
        });
      };
      const [firstSlice] = series.slices;
      /** Asks host and archive once. */
      const probe = async (): Promise<void> => {
        await metadataClient(access()).models(own.signal);
        if (firstSlice) await viewer.archive().retrieve(firstSlice.address, own.signal);
      };
      try {
        const failure = await throughInterruptions(attempt, probe, own.signal, (error) => {
          const waiting = error && waitingText(error);
          const phase = waiting ? 'offline' : 'prepare';
          view = { ...view, phase, part: doneOf() / indices.length, secondsLeft: undefined };
          state.set({ run: view, failure: waiting, announcement: waiting?.title ?? 'Denoising goes on.' });
        });
        if (failure) fail(failure);
      } finally {
        const { bytesUp, bytesDown } = view;
        const slicesDone = doneOf();
        const seconds = (performance.now() - started) / 1000;
        state.set({ run: undefined, report: { slices: slicesDone, seconds, bytesUp, bytesDown, stages } });
      }
      state.set({ announcement: `${count(series.count('done'), 'slice')} denoised.` });
    } catch (error) {
      fail(error);
    } finally {
      running = undefined;
      update();
    }
  }

  /** The result that belongs to what is on screen, else the newest. */
  function currentResult(): ResultView | undefined {
    const { results } = state.get();
    const uid = source()?.displaySetInstanceUID;
    return results.findLast(({ sourceUid }) => sourceUid === uid) ?? results.at(-1);
  }

  const sourceOf = (result: ResultView): DisplaySet | undefined =>
    viewer.services.displaySetService.getDisplaySetByUID(result.sourceUid);

  async function write<T>(
    what: string,
    result: ResultView | undefined,
    suffix: string,
    work: (options: WriteOptions) => Promise<T>,
  ): Promise<T | undefined> {
    if (!result || writing || result.series.count('done') === 0) return undefined;
    const own = (writing = new AbortController());
    state.set({ failure: undefined, writing: { what, written: 0, total: result.series.count('done') } });
    try {
      return await work({
        series: result.series,
        archive: viewer.archive(),
        description: { descriptionSuffix: suffix, seriesNumberOffset: admin.seriesNumberOffset },
        signal: own.signal,
        onProgress: (written, total) => state.set({ writing: { what, written, total } }),
      });
    } catch (error) {
      fail(error);
      return undefined;
    } finally {
      writing = undefined;
      state.set({ writing: undefined, results: [...state.get().results] });
    }
  }

  function update(): void {
    const displaySet = source();
    const instances = displaySet ? instancesOf(displaySet) : [];
    state.set({
      series: {
        slices: instances.length,
        description: String(instances[0]?.['SeriesDescription'] ?? ''),
        reason: refusal(),
      },
    });
  }

  return {
    state,
    admin,
    changeSettings,
    setApiKey(apiKey) {
      sessionStorage.setItem(keyStorage, apiKey);
      state.set({ apiKey });
    },
    testConnection,
    choice,
    refusal,
    denoise,
    cancel() {
      running?.abort();
      writing?.abort();
    },
    setStrength(result, percent) {
      result.series.strength = percent;
      result.local.refresh();
      result.difference?.refresh();
      changeSettings({ strength: percent });
      state.set({ results: [...state.get().results] });
    },
    async compare(result = currentResult()) {
      const original = result && sourceOf(result);
      if (!original) return;
      await showSideBySide(viewer, [original, result.local.displaySet]);
    },
    async difference(result = currentResult()) {
      const original = result && sourceOf(result);
      if (!original) return;
      const difference =
        result.difference ?? local.add(result.series, 'difference', orderedInstances(original));
      state.set({
        results: state.get().results.map((one) => (one === result ? { ...one, difference } : one)),
      });
      await showSideBySide(viewer, [original, result.local.displaySet, difference.displaySet], 2);
    },
    async blink() {
      const result = currentResult();
      const original = result && sourceOf(result);
      if (!original) return;
      const shown = viewer.activeDisplaySet()?.displaySetInstanceUID;
      const { displaySet } = result.local;
      const next = shown === displaySet.displaySetInstanceUID ? original : displaySet;
      await swapInPlace(viewer, next, focusOf(orderedInstances(original), result.series));
    },
    async save(result = currentResult(), descriptionSuffix = admin.descriptionSuffix) {
      await write('Saving', result, descriptionSuffix, async (options) => {
        await saveSeries(options);
        viewer
          .dataSource()
          .deleteStudyMetadataPromise?.(options.series.slices[0]?.address.studyInstanceUid ?? '');
        state.set({ announcement: 'Saved, and read back from the archive.' });
      });
    },
    async download(result = currentResult()) {
      const archive = await write('Preparing download', result, admin.descriptionSuffix, zipSeries);
      if (archive) offerDownload(archive, 'denoised.zip');
    },
    async discard(result) {
      const original = sourceOf(result);
      const own = [result.local, result.difference].map((made) => made?.displaySet.displaySetInstanceUID);
      if (original) await replaceInViewports(viewer, own, original);
      result.difference?.remove();
      result.local.remove();
      state.set({ results: state.get().results.filter((one) => one !== result) });
    },
    panelShown() {
      panels++;
      return () => void panels--;
    },
    archiveName: () => viewer.dataSource().getConfig().friendlyName ?? 'the archive of this viewer',
    update,
    leave() {
      running?.abort();
      writing?.abort();
      testing?.abort();
      local.clear();
      state.set({ results: [], run: undefined, report: undefined, failure: undefined });
    },
  };
}

const noticeId = 'cipherdose-notice';

function offerDownload(content: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  // The download has its own hold on the data once it has started.
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
