import { DenoiseError } from '../errors/index.ts';
import { blend, checkHuImage, type HuImage } from '../image/index.ts';
import type { CheckedPlan } from '../plan/index.ts';
import { sliceLayout } from '../private-session/index.ts';
import { limits } from '../protocol/index.ts';
import type { HeWorker, WorkerPool } from '../worker/index.ts';
import { PrivateLink, type LinkEvent, type PrivateTransport } from './private-link.ts';
import { PhaseMeter } from './phase-meter.ts';
import type { ProgressMeter } from './progress-meter.ts';
import { waitAfter } from './retry.ts';
import type { SeriesItem } from './run-series.ts';
import type { DenoisePhase, SliceResult } from './types.ts';

export interface PrivateSeriesOptions {
  readonly plan: CheckedPlan;
  readonly pool: WorkerPool;
  readonly transport: PrivateTransport;
  readonly meter: ProgressMeter;
  /** Sessions that a slice may take, the first included. */
  readonly attempts: number;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Slices that are open at once, if the host allows as many: one runs, the others are prepared. */
  readonly slicesInFlight: number;
  readonly strengthPercent: number;
}

/** A slice that was taken from the source and is not done. */
interface Entry {
  readonly index: number;
  readonly image: HuImage;
  readonly cost: PhaseMeter;
  /** In the session that is open; 0: it is not open. */
  number: number;
  state: 'waiting' | 'open' | 'prepared' | 'running';
  /** It broke off while it ran, so that it may be resumed. */
  broken: boolean;
  failures: number;
  unitsDone: number;
  /** That it is at. */
  layer: number;
}

type SourceStep = IteratorResult<Pick<SeriesItem, 'index' | 'image'>, unknown>;

let runs = 0;

/**
 * Runs slices in private mode over one session after another: one runs, in order, while the next are prepared. A slice
 * whose session breaks off is resumed in the next one, or begins anew; it is done once or reported.
 * @throws CANCELLED once the signal is aborted, and what the source throws
 */
export async function* runPrivateSeries(
  items: Iterable<Pick<SeriesItem, 'index' | 'image'>> | AsyncIterable<Pick<SeriesItem, 'index' | 'image'>>,
  options: PrivateSeriesOptions,
): AsyncGenerator<SliceResult, void, undefined> {
  const { plan, pool, transport, meter, attempts, timeoutMs, signal, slicesInFlight } = options;
  const source = Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]();
  const run = runs++;
  const events = new Mailbox<LinkEvent>();
  const wake = (): void => events.wake();
  signal.addEventListener('abort', wake, { once: true });
  const entries: Entry[] = [];
  let taking: Promise<SourceStep> | undefined;
  let taken: SourceStep | undefined;
  let exhausted = false;
  let worker: HeWorker | undefined;
  let link: PrivateLink | undefined;
  let ready = false;
  let lastNumber = 0;
  /** After a failure whose slice is not known, slices go one at a time until one is done. */
  let alone = false;

  const room = (): number => (alone ? 1 : Math.min(slicesInFlight, link?.slices ?? 1));
  const entryOf = (number: number): Entry | undefined => entries.find((entry) => entry.number === number);

  function connect(): void {
    worker ??= pool.leastLoaded();
    ready = false;
    lastNumber = 0;
    const tell = (event: LinkEvent): void => events.put(event);
    link = new PrivateLink({ transport, plan, worker, run, timeoutMs, signal, tell });
    void link.connect();
  }

  /** Opens and runs what can be. */
  function proceed(): void {
    if (!link || !ready) return;
    const opened = entries.filter(({ state }) => state !== 'waiting');
    const next = entries[opened.length];
    const last = opened.at(-1);
    if (next && opened.length < room() && (!last || last.state === 'prepared' || last.state === 'running')) {
      next.number = ++lastNumber;
      next.state = 'open';
      link.open(next.number, next.image, next.broken);
    }
    const [first] = entries;
    if (first?.state === 'prepared') {
      first.state = 'running';
      first.cost.online();
      link.run(first.number, first.image);
    }
    link.awaitHost(entries.some(({ state }) => state !== 'waiting'));
  }

  function take(event: LinkEvent): SliceResult | undefined {
    if (event.kind === 'ready') ready = true;
    if (event.kind === 'ready' || event.kind === 'over') return undefined;
    const entry = event.kind === 'traffic' && event.slice === 0 ? entries[0] : entryOf(event.slice);
    if (!entry) return undefined;
    const { index } = entry;
    switch (event.kind) {
      case 'traffic': {
        const { part, bytesUp, bytesDown } = event;
        entry.cost.count(part, bytesUp, bytesDown);
        meter.step(phaseOf(part), index, entry.layer, { bytesUp, bytesDown });
        return undefined;
      }
      case 'prepared':
        entry.state = 'prepared';
        entry.cost.prepared();
        return undefined;
      case 'progress':
        entry.unitsDone += event.units;
        entry.layer = event.layer;
        meter.step(phaseOf(event.part), index, event.layer, { tiles: event.units });
        return undefined;
      case 'finished': {
        entries.splice(entries.indexOf(entry), 1);
        alone = false;
        meter.step('done', index, plan.nodes.filter(({ op }) => op === 'linear').length - 1, { slices: 1 });
        const image = blend(entry.image, event.image, options.strengthPercent);
        return { ok: true, index, image, statistics: entry.cost.finish(event.rounds) };
      }
    }
  }

  /** The session is over. @returns the result of a slice that fails with it */
  async function recover(error: DenoiseError): Promise<SliceResult | undefined> {
    const several = entries.filter(({ state }) => state !== 'waiting').length > 1;
    link = undefined;
    if (error.code === 'WORKER_FAILED') worker = undefined;
    for (const entry of entries) {
      entry.broken ||= entry.state === 'running';
      if (error.code === 'WORKER_FAILED') entry.broken = false;
      entry.number = 0;
      entry.state = 'waiting';
      meter.takeBack(entry.unitsDone);
      entry.unitsDone = 0;
    }
    const [first] = entries;
    if (!first || signal.aborted) return undefined;
    if (several && (!error.retryable || error.code === 'QUOTA_EXCEEDED')) alone = true;
    if (several && !error.retryable) return undefined;
    first.failures++;
    if (!error.retryable || first.failures >= attempts) {
      entries.shift();
      meter.abandon(first.index, 0);
      return { ok: false, index: first.index, error };
    }
    await waitAfter(first.failures, error, signal);
    return undefined;
  }

  try {
    for (;;) {
      if (signal.aborted) throw new DenoiseError('CANCELLED');
      if (!exhausted && entries.length < Math.max(room(), 1))
        taking ??= Promise.resolve(source.next()).then((step) => {
          events.wake();
          return (taken = step);
        });
      if (!taking && entries.length === 0) return;
      if (!link && entries.length > 0) connect();
      proceed();
      await Promise.race([...(taking ? [taking] : []), events.some()]);
      if (signal.aborted) throw new DenoiseError('CANCELLED');
      const results: SliceResult[] = [];
      for (let event = events.take(); event; event = events.take()) {
        const result = event.kind === 'over' ? await recover(event.error) : take(event);
        if (result) results.push(result);
      }
      // The next slice need not wait until the caller has dealt with this one.
      proceed();
      yield* results;
      if (!taken) continue;
      const step = taken;
      taking = taken = undefined;
      if (step.done) {
        exhausted = true;
        continue;
      }
      const { index, image } = step.value;
      meter.step('prepare', index, 0);
      try {
        checkHuImage(image, limits.imageSide);
        sliceLayout(plan, image);
        entries.push({
          index,
          image,
          cost: new PhaseMeter(),
          number: 0,
          state: 'waiting',
          broken: false,
          failures: 0,
          unitsDone: 0,
          layer: 0,
        });
      } catch (error) {
        meter.abandon(index, 0);
        yield { ok: false, index, error: DenoiseError.wrap(error, 'INTERNAL') };
      }
    }
  } finally {
    signal.removeEventListener('abort', wake);
    link?.close(entries.length === 0 && !signal.aborted);
    // Not awaited: a source that is still reading would hold up the end.
    if (!exhausted) void Promise.resolve(source.return?.()).catch(() => undefined);
  }
}

const phaseOf = (part: 'offline' | 'online'): DenoisePhase => (part === 'online' ? 'evaluate' : 'prepare');

/** Events in order, for one reader. */
class Mailbox<Event> {
  readonly #events: Event[] = [];
  #wake: (() => void) | undefined;

  put(event: Event): void {
    this.#events.push(event);
    this.wake();
  }

  take(): Event | undefined {
    return this.#events.shift();
  }

  /** Ends the wait of {@link some}. */
  wake(): void {
    this.#wake?.();
  }

  /** Resolves when there is an event, or at {@link wake}. */
  some(): Promise<void> {
    if (this.#events.length > 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}
