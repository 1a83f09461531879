import { DenoiseError } from '../errors/index.ts';
import {
  layerDone,
  type AwaitingLayer,
  type GroupExchange,
  type GroupResult,
  type SliceState,
} from '../session/index.ts';
import type { Transport } from '../transport/index.ts';
import type { HeWorker, WorkerPool } from '../worker/index.ts';
import type { ProgressMeter } from './progress-meter.ts';
import { advanceSlice } from './advance-slice.ts';
import { retry } from './retry.ts';
import type { SliceStatistics } from './types.ts';

export interface SliceRunOptions {
  readonly model: string;
  readonly index: number;
  readonly pool: WorkerPool;
  readonly transport: Transport;
  readonly meter: ProgressMeter;
  readonly attempts: number;
  readonly signal: AbortSignal;
}

/** How a slice ended: with its image, or at the layer from which it can go on. */
export type SliceRunEnd =
  | { readonly state: Extract<SliceState, { done: true }>; readonly statistics: SliceStatistics }
  | { readonly state: AwaitingLayer; readonly error: DenoiseError };

/** Drives one slice through all its layers. Never throws: a failure leaves the state before the failed layer. */
export async function runSlice(first: SliceState, options: SliceRunOptions): Promise<SliceRunEnd> {
  const started = performance.now();
  const counted = { bytesUp: 0, bytesDown: 0, rounds: 0 };
  let tilesDone = 0;
  let state = first;
  while (!state.done) {
    const awaiting = state;
    // One failed exchange stops its siblings: the layer is done again as a whole.
    const siblings = new AbortController();
    const signal = AbortSignal.any([options.signal, siblings.signal]);
    try {
      const results = await Promise.all(
        awaiting.exchanges.map(async (exchange) => {
          const result = await runExchange(awaiting, exchange, { ...options, signal });
          counted.bytesUp += exchange.bytesUp;
          counted.bytesDown += exchange.bytesDown;
          tilesDone += exchange.group.tiles;
          return result;
        }),
      );
      counted.rounds += 1;
      const { plan, image } = awaiting.pending.walk;
      state = await advanceSlice(plan, image, { ...options, signal }, layerDone(awaiting, results));
    } catch (error) {
      siblings.abort();
      options.meter.abandon(options.index, tilesDone);
      return { state: awaiting, error: DenoiseError.wrap(error, 'INTERNAL') };
    }
  }
  options.meter.step('done', options.index, counted.rounds - 1, { slices: 1 });
  return { state, statistics: { seconds: (performance.now() - started) / 1000, ...counted } };
}

/** Encrypt, send, decrypt one tile group, with retries; a frame that is already encrypted is sent again as it is. */
async function runExchange(
  state: AwaitingLayer,
  exchange: GroupExchange,
  options: SliceRunOptions,
): Promise<GroupResult> {
  const { index, meter, pool, signal, transport } = options;
  const { node, tiling, set } = state;
  const { group, request, reply } = exchange;
  const shared = { set: set.name, node, tiling, group };
  let encrypted: { worker: HeWorker; frame: Uint8Array<ArrayBuffer> } | undefined;

  const attempt = async (): Promise<GroupResult> => {
    try {
      if (!encrypted) {
        const worker = pool.leastLoaded();
        const job = { kind: 'encrypt', ...shared, map: state.input, expectation: request } as const;
        meter.step('encrypt', index, node.layer);
        encrypted = { worker, frame: await worker.run<'encrypt'>(job, { priority: 2 * index + 1, signal }) };
      }
      const { worker, frame: sent } = encrypted;
      meter.step('evaluate', index, node.layer, { bytesUp: sent.length });
      const layerRequest = {
        model: options.model,
        layer: node.layer,
        frame: sent,
        replyBytes: exchange.bytesDown,
      };
      const frame = await transport.evaluate(layerRequest, signal);
      meter.step('decrypt', index, node.layer, { bytesDown: frame.length });
      const job = { kind: 'decrypt', ...shared, frame, expectation: reply } as const;
      // Decryption goes before encryption: it ends slices and frees memory.
      const accumulators = await worker.run<'decrypt'>(job, { priority: 2 * index, signal });
      meter.step('decrypt', index, node.layer, { tiles: group.tiles });
      return { group, accumulators };
    } catch (error) {
      // The key went with the worker.
      if (error instanceof DenoiseError && error.code === 'WORKER_FAILED') encrypted = undefined;
      throw error;
    }
  };
  return retry(attempt, { attempts: options.attempts, signal });
}
