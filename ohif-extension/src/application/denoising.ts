import { DenoiseError } from '@cipherdose/sdk/errors';
import type { ApplicationState, ResultView } from '../application-state.ts';
import { hostLogin, metadataClient, serverUrl } from '../model-host.ts';
import { waitingText } from '../panel/failure-text.ts';
import { count } from '../panel/wording.ts';
import { runDenoise } from '../run/denoise-run.ts';
import { ReadyWorker } from '../run/ready-worker.ts';
import { rangeIndices } from '../run/slice-order.ts';
import type { Store } from '../run/store.ts';
import { throughInterruptions } from '../run/wait-for-return.ts';
import type { HostSettings, Logins } from '../run-worker/messages.ts';
import type { AdminSettings } from '../settings/admin-settings.ts';
import { showSideBySide } from '../viewer/compare.ts';
import type { Viewer } from '../viewer/viewer.ts';
import { heWorkerUrl, sealWasmUrl, startRunWorker } from '../worker-files.ts';
import type { Connection } from './connection.ts';
import type { Notices } from './notices.ts';
import type { Results } from './results.ts';
import { RunMeter } from './run-meter.ts';
import type { SourceSeries } from './source-series.ts';

/** One run at a time: the slices of a series that are not done yet. */
export interface Denoising {
  start(): Promise<void>;
  cancel(): void;
  /** Gets workers ready for the model that is chosen. */
  prepare(): void;
  /** Ends a run, and workers that are ready for one. */
  end(): void;
}

export interface DenoisingParts {
  readonly viewer: Viewer;
  readonly admin: AdminSettings;
  readonly state: Store<ApplicationState>;
  readonly notices: Notices;
  readonly connection: Connection;
  readonly source: SourceSeries;
  readonly results: Results;
}

export function createDenoising(parts: DenoisingParts): Denoising {
  const { viewer, admin, state, notices, connection, source, results } = parts;
  const ready = new ReadyWorker(startRunWorker);
  let running: AbortController | undefined;

  const logins = (): Logins => ({ archive: viewer.loginHeaders(), host: hostLogin(connection.access()) });

  const hostSettings = (model: string): HostSettings => ({
    serverUrl: serverUrl(connection.access()),
    workers: admin.workers,
    heWorkerUrl: heWorkerUrl(),
    sealWasmUrl: sealWasmUrl(),
    model,
  });

  async function start(): Promise<void> {
    if (running) return;
    const displaySet = source.current();
    const reason = source.refusal();
    if (!displaySet || reason !== undefined)
      return notices.tell({ title: reason ?? '', advice: 'Select another series in a viewport.' });
    const { signal } = (running = new AbortController());
    state.set({ failure: undefined, report: undefined, announcement: 'Denoising has started.' });
    try {
      const instances = source.instances(displaySet);
      if (state.get().connection.state !== 'ok') await connection.test();
      if (signal.aborted) throw new DenoiseError('CANCELLED');
      const chosen = connection.choice();
      const { connection: tested } = state.get();
      if (!chosen) return tested.state === 'failed' ? notices.tell(tested.failure) : undefined;
      const result = results.of(displaySet, instances, chosen);
      const { series } = result;
      const focus = (): number => source.focus(instances, series);
      const range = state.get().settings.range ?? admin.defaultRange;
      const indices = rangeIndices(range, focus(), series.slices.length).filter(
        (index) => series.slices[index]?.state !== 'done',
      );
      if (series.count('done') === 0) void showSideBySide(viewer, [displaySet, result.local.displaySet]);
      await run({ result, indices, focus, signal });
      state.set({ announcement: `${count(series.count('done'), 'slice')} denoised.` });
    } catch (error) {
      notices.fail(error);
    } finally {
      running = undefined;
      source.update();
    }
  }

  async function run({ result, indices, focus, signal }: Run): Promise<void> {
    const { series } = result;
    const meter = new RunMeter(result, indices);
    const settings = hostSettings(series.model.id);
    const [firstSlice] = series.slices;
    const attempt = (): Promise<DenoiseError | undefined> => {
      meter.nextAttempt();
      return runDenoise({
        ...{ series, indices, focus, logins, signal },
        settings: { ...settings, wadoRoot: viewer.wadoRoot(), slicesInFlight: admin.slicesInFlight },
        startWorker: () => ready.take(settings),
        onSlice(index) {
          result.local.refresh(index);
          result.difference?.refresh(index);
          state.set({ results: [...state.get().results] });
        },
        onProgress: (progress) => state.set({ run: meter.progress(progress) }),
      });
    };
    /** Asks host and archive once. */
    const probe = async (): Promise<void> => {
      await metadataClient(connection.access()).models(signal);
      if (firstSlice) await viewer.archive().retrieve(firstSlice.address, signal);
    };
    state.set({ run: meter.view });
    try {
      const failure = await throughInterruptions(attempt, probe, signal, (error) => {
        const waiting = error && waitingText(error);
        const announcement = waiting?.title ?? 'Denoising goes on.';
        state.set({ run: meter.pause(waiting !== undefined), failure: waiting, announcement });
      });
      if (failure) notices.fail(failure);
    } finally {
      state.set({ run: undefined, report: meter.report() });
    }
  }

  return {
    start,
    cancel: () => running?.abort(),
    prepare() {
      const chosen = connection.choice();
      if (!running && chosen && source.refusal() === undefined)
        ready.prepare(hostSettings(chosen.model.id), logins());
    },
    end() {
      running?.abort();
      ready.end();
    },
  };
}

interface Run {
  readonly result: ResultView;
  readonly indices: readonly number[];
  /** Index of the slice on screen. */
  readonly focus: () => number;
  readonly signal: AbortSignal;
}
