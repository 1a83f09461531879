import { DenoiseError } from '../errors/index.ts';
import { blend, type HuImage } from '../image/index.ts';
import type { CheckedPlan } from '../plan/index.ts';
import type { SliceState } from '../session/index.ts';
import { advanceSlice } from './advance-slice.ts';
import { makeCheckpoint } from './checkpoint.ts';
import { runSlice, type SliceRunOptions } from './run-slice.ts';
import type { SliceResult } from './types.ts';

/** One slice of a series: its place, and the state that it goes on from, if it was begun before. */
export interface SeriesItem {
  readonly index: number;
  readonly image: HuImage;
  readonly state?: SliceState;
}

export interface SeriesRunOptions extends Omit<SliceRunOptions, 'index'> {
  readonly plan: CheckedPlan;
  readonly slicesInFlight: number;
  readonly strengthPercent: number;
}

/**
 * Runs slices, some at once, and yields each when it is done, in order of completion. An item is taken from its
 * source only when there is room for it, so a long series never stands in memory.
 * @throws CANCELLED once the signal is aborted, and what the source throws
 */
export async function* runSeries(
  items: Iterable<SeriesItem> | AsyncIterable<SeriesItem>,
  options: SeriesRunOptions,
): AsyncGenerator<SliceResult, void, undefined> {
  const source = Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]();
  const running = new Map<number, Promise<SliceResult>>();
  let taking: Promise<IteratorResult<SeriesItem, unknown>> | undefined;
  let exhausted = false;
  try {
    for (;;) {
      if (options.signal.aborted) throw new DenoiseError('CANCELLED');
      if (!exhausted && running.size < options.slicesInFlight) taking ??= Promise.resolve(source.next());
      if (!taking && running.size === 0) return;
      const event = await Promise.race([...(taking ? [taking] : []), ...running.values()]);
      if (options.signal.aborted) throw new DenoiseError('CANCELLED');
      if ('ok' in event) {
        running.delete(event.index);
        yield event;
        continue;
      }
      taking = undefined;
      if (event.done) exhausted = true;
      else running.set(event.value.index, runItem(event.value, options));
    }
  } finally {
    // Not awaited: a source that is still reading would hold up the end.
    if (!exhausted) void Promise.resolve(source.return?.()).catch(() => undefined);
  }
}

async function runItem(item: SeriesItem, options: SeriesRunOptions): Promise<SliceResult> {
  const { index } = item;
  options.meter.step('prepare', index, 0);
  let first: SliceState;
  try {
    first = item.state ?? (await advanceSlice(options.plan, item.image, { ...options, index }));
  } catch (error) {
    options.meter.abandon(index, 0);
    return { ok: false, index, error: DenoiseError.wrap(error, 'INTERNAL') };
  }
  const end = await runSlice(first, { ...options, index });
  if ('error' in end)
    return { ok: false, index, error: end.error, checkpoint: makeCheckpoint(index, end.state) };
  const image = blend(item.image, end.state.image, options.strengthPercent);
  return { ok: true, index, image, statistics: end.statistics };
}
