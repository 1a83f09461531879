import { processors, spawnWorker } from '#spawn-worker';
import { DenoiseError } from '../errors/index.ts';
import { checkHuImage, checkStrength, type HuImage } from '../image/index.ts';
import { checkPlan, type CheckedPlan } from '../plan/index.ts';
import { limits, type Mode, type ModelDetail, type ModelSummary } from '../protocol/index.ts';
import { fetchTransport, type Transport } from '../transport/index.ts';
import { WorkerPool } from '../worker/index.ts';
import { checkpointState } from './checkpoint.ts';
import { ProgressMeter } from './progress-meter.ts';
import { retry } from './retry.ts';
import type { PrivateTransport } from './private-link.ts';
import { runPrivateSeries } from './run-private-series.ts';
import { runSeries, type SeriesItem } from './run-series.ts';
import { countTiles, metered, streamItems } from './series-items.ts';
import type { DenoiseClientOptions, DenoiseOptions, SliceCheckpoint, SliceResult } from './types.ts';

const defaultAttempts = 5;
const defaultTimeoutMs = 60_000;
const defaultSlicesInFlight = 3;
const mostDefaultWorkers = 4;

/** Denoises CT slices on a model host that only ever sees ciphertext. */
export interface DenoiseClient {
  /** What the host offers. */
  models(signal?: AbortSignal): Promise<readonly ModelSummary[]>;
  /** One model, with its plan checked against its digest. */
  model(id: string, signal?: AbortSignal): Promise<ModelDetail>;
  /**
   * Starts all workers and makes their keys, so that the first slice of a run with this model does not wait for them.
   * Nothing but the question for the model is sent. @throws MODEL_UNKNOWN, PLAN_*, CANCELLED, WORKER_FAILED
   */
  prepare(id: string, signal?: AbortSignal): Promise<void>;
  /**
   * Denoises one slice or a series. Slices come in order of completion; one that failed is a result too, and the
   * others go on. Stopping the iteration, or aborting the signal, stops the work and frees the workers. A stream is
   * read only as fast as slices are done; an invalid image in it is a failed slice.
   * @throws IMAGE_INVALID, MODEL_UNKNOWN, MODE_UNSUPPORTED, PLAN_*, CANCELLED, and what the host answers
   */
  denoise(
    images: HuImage | readonly HuImage[] | AsyncIterable<HuImage>,
    options: DenoiseOptions,
  ): AsyncIterable<SliceResult>;
  /** Goes on with slices that failed, each at the layer that failed. */
  resume(checkpoints: readonly SliceCheckpoint[], options: DenoiseOptions): AsyncIterable<SliceResult>;
  /** Stops everything and frees all keys and memory. */
  close(): void;
}

/** @throws HOST_UNREACHABLE if the address is not a URL */
export function createDenoiseClient(options: DenoiseClientOptions): DenoiseClient {
  if (!URL.canParse(options.serverUrl)) throw new DenoiseError('HOST_UNREACHABLE', { reason: 'not a URL' });
  const { serverUrl, apiKey, timeoutMs = defaultTimeoutMs } = options;
  const transport = fetchTransport({
    serverUrl,
    timeoutMs,
    ...(options.fetch ? { fetch: options.fetch } : {}),
    ...(options.openSocket ? { openSocket: options.openSocket } : {}),
    ...(apiKey === undefined ? {} : { apiKey }),
  });
  return createClientOver(transport, options);
}

/** A client over any transport, for hosts that are not reached by HTTP. */
export function createClientOver(
  transport: Transport,
  options: Omit<DenoiseClientOptions, 'serverUrl' | 'fetch' | 'openSocket' | 'apiKey'> = {},
): DenoiseClient {
  const { attempts = defaultAttempts, timeoutMs = defaultTimeoutMs, workerUrl, sealWasmUrl } = options;
  const pool = new WorkerPool({
    spawn: spawnWorker,
    size: Math.max(1, options.workers ?? Math.min(mostDefaultWorkers, processors())),
    ...(workerUrl === undefined ? {} : { workerUrl: String(workerUrl) }),
    ...(sealWasmUrl === undefined ? {} : { sealWasmUrl: String(sealWasmUrl) }),
  });
  const runs = new Set<AbortController>();
  let closed = false;

  async function loadModel(
    id: string,
    signal?: AbortSignal,
  ): Promise<{ detail: ModelDetail; plan: CheckedPlan }> {
    const detail = await retry(() => transport.model(id, signal), {
      attempts,
      ...(signal ? { signal } : {}),
    });
    const plan = checkPlan(detail.plan, detail.digest);
    if (plan.id !== id) throw new DenoiseError('PLAN_INVALID', { reason: 'the plan is of another model' });
    return { detail, plan };
  }

  async function* run(
    itemsOf: (plan: CheckedPlan) => readonly SeriesItem[] | AsyncIterable<SeriesItem>,
    denoiseOptions: DenoiseOptions,
  ): AsyncGenerator<SliceResult, void, undefined> {
    if (closed) throw new DenoiseError('CLIENT_CLOSED');
    const { strengthPercent = 100 } = denoiseOptions;
    checkStrength(strengthPercent);
    const own = new AbortController();
    const signal = denoiseOptions.signal ? AbortSignal.any([own.signal, denoiseOptions.signal]) : own.signal;
    // Terminating the workers is what frees memory at once; other runs of this client keep theirs.
    const release = (): void => {
      if (runs.size === 1 && runs.has(own)) pool.reset();
    };
    runs.add(own);
    signal.addEventListener('abort', release, { once: true });
    let completed = false;
    try {
      const { detail, plan } = await loadModel(denoiseOptions.model, signal);
      const mode = chosenMode(detail, denoiseOptions);
      const source = itemsOf(plan);
      const layers = plan.nodes.filter((node) => node.op === 'linear').length;
      const listed = Symbol.asyncIterator in source ? [] : source;
      const tilesOf = new Map(listed.map(({ index, image }) => [index, countTiles(plan, image, mode)]));
      const { onProgress, expectedSlices } = denoiseOptions;
      const meter = new ProgressMeter(tilesOf, layers, onProgress, expectedSlices);
      const items = Symbol.asyncIterator in source ? metered(source, plan, meter, mode) : source;
      const slicesInFlight = Math.max(1, denoiseOptions.slicesInFlight ?? defaultSlicesInFlight);
      const shared = { plan, pool, meter, attempts, signal, slicesInFlight, strengthPercent };
      if (mode === 'private')
        yield* runPrivateSeries(items, {
          ...shared,
          timeoutMs,
          transport: privateTransport(transport, plan.id),
        });
      else yield* runSeries(items, { ...shared, model: plan.id, transport });
      completed = true;
    } finally {
      signal.removeEventListener('abort', release);
      if (!completed) release();
      own.abort();
      runs.delete(own);
    }
  }

  return {
    models: (signal) => retry(() => transport.models(signal), { attempts, ...(signal ? { signal } : {}) }),
    model: async (id, signal) => (await loadModel(id, signal)).detail,
    async prepare(id, signal) {
      const { plan } = await loadModel(id, signal);
      await pool.prepare(plan.parameterSet, signal);
    },
    denoise(images, denoiseOptions) {
      if (Symbol.asyncIterator in images) return run(() => streamItems(images), denoiseOptions);
      const list = 'hu' in images ? [images] : images;
      for (const image of list) checkHuImage(image, limits.imageSide);
      return run(() => list.map((image, index) => ({ index, image })), denoiseOptions);
    },
    resume(checkpoints, denoiseOptions) {
      const states = checkpoints.map((checkpoint) => {
        const state = checkpointState(checkpoint);
        if (!state) throw new DenoiseError('IMAGE_INVALID', { reason: 'not a checkpoint of this process' });
        return { index: checkpoint.index, state };
      });
      if (denoiseOptions.mode === 'private')
        throw new DenoiseError('MODE_UNSUPPORTED', {
          model: denoiseOptions.model,
          mode: 'private',
          reason: 'a session resumes its slices itself',
        });
      const items = (plan: CheckedPlan): SeriesItem[] =>
        states.map(({ index, state }) => {
          if (state.pending.walk.plan.digest !== plan.digest)
            throw new DenoiseError('PLAN_DIGEST', { reason: 'the model changed since the checkpoint' });
          return { index, image: state.pending.walk.image, state };
        });
      return run(items, denoiseOptions);
    },
    close() {
      closed = true;
      for (const controller of runs) controller.abort();
      pool.close();
    },
  };
}

/** @throws MODE_UNSUPPORTED, PLAN_DIGEST */
function chosenMode(detail: ModelDetail, options: DenoiseOptions): Mode {
  const { mode = detail.modes[0] as Mode, digest, model } = options;
  if (!detail.modes.includes(mode))
    throw new DenoiseError('MODE_UNSUPPORTED', { model, mode, offered: detail.modes.join(' ') });
  if (digest !== undefined && digest !== detail.digest)
    throw new DenoiseError('PLAN_DIGEST', { got: detail.digest, expected: digest });
  return mode;
}

/** @throws MODE_UNSUPPORTED */
function privateTransport(transport: Transport, model: string): PrivateTransport {
  const { privateTicket, openPrivate } = transport;
  if (!privateTicket || !openPrivate)
    throw new DenoiseError('MODE_UNSUPPORTED', {
      model,
      mode: 'private',
      reason: 'the transport has no sessions',
    });
  return { privateTicket: privateTicket.bind(transport), openPrivate: openPrivate.bind(transport) };
}
