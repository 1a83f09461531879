import { DenoiseError } from '@cipherdose/sdk/errors';
import type { BridgeConfig } from '../config/config-schema.ts';
import { errorFacts, type Log } from '../log.ts';
import type { Change, OrthancSeries } from '../orthanc/answers.ts';
import type { OrthancClient } from '../orthanc/orthanc-client.ts';
import type { FeedStore, PendingSeries } from '../store/feed-store.ts';
import { decideSeries, type DecisionTools } from './decide-series.ts';
import { SettleClock } from './settle-clock.ts';

export interface WatcherTools extends DecisionTools {
  readonly feed: FeedStore;
  readonly log: Log;
}

/** Series asked for at once when all of them are listed. */
const listPage = 200;

const wanted = ['NewSeries', 'NewInstance', 'StableSeries'] as const;

/**
 * Finds the series of one Orthanc that are complete, and lets each be decided. The change feed is the truth for what is
 * new, but StableSeries is lost by a restart or a full disk: so every new series and instance is remembered as pending
 * until the series is seen to be stable, and now and then all series are compared with those decided.
 */
export class OrthancWatcher {
  readonly #orthanc: OrthancClient;
  readonly #settings: BridgeConfig['watch'];
  readonly #tools: WatcherTools;
  readonly #settling: SettleClock;
  /** Whether this Orthanc filters its feed; undefined while it is not known (an Orthanc may come back as a newer one). */
  #changesByType: boolean | undefined;

  /** @param clock milliseconds that only grow */
  constructor(
    orthanc: OrthancClient,
    settings: BridgeConfig['watch'],
    tools: WatcherTools,
    clock: () => number,
  ) {
    this.#orthanc = orthanc;
    this.#settings = settings;
    this.#tools = tools;
    this.#settling = new SettleClock(settings.settleSeconds * 1000, clock);
  }

  /** Reads the feed to its end, then decides what has settled. @throws ORTHANC_*, QUEUE_UNAVAILABLE */
  async tick(): Promise<void> {
    await this.#readFeed().catch((error: unknown) => {
      this.#changesByType = undefined;
      throw error;
    });
    const pending = await this.#tools.feed.pending(this.#orthanc.name);
    this.#settling.keepOnly(pending.map(({ series }) => series));
    for (const series of pending) await this.#look(series);
  }

  /**
   * Marks every series that was never decided as it is now. Does nothing before the first tick has sorted out what was
   * there before the bridge.
   * @returns how many
   * @throws ORTHANC_*, QUEUE_UNAVAILABLE
   */
  async reconcile(): Promise<number> {
    if ((await this.#tools.feed.position(this.#orthanc.name))?.ready !== true) return 0;
    let marked = 0;
    for await (const page of this.#pages())
      marked += await this.#tools.feed.reconcile(
        this.#orthanc.name,
        page.map(({ ID }) => ID),
        page.map(({ Instances }) => Instances.length),
      );
    return marked;
  }

  async #readFeed(): Promise<void> {
    const { feed, log } = this.#tools;
    const name = this.#orthanc.name;
    const last = await this.#orthanc.lastChange();
    const position = await feed.position(name);
    let cursor = position?.seq ?? (this.#settings.backfill ? 0 : last);
    if (position === undefined) await feed.restart(name, cursor);
    if (position?.ready !== true) {
      // The cursor is kept already: what comes from here on is in the feed, also if the bridge ends before it is ready.
      if (!this.#settings.backfill) await this.#ignoreExisting();
      await feed.setReady(name);
    }
    if (last < cursor) {
      log.warn({ orthanc: name }, 'the database of Orthanc was replaced; looking at everything');
      cursor = 0;
      await feed.restart(name, cursor);
      await this.reconcile();
    }
    this.#changesByType ??= (await this.#orthanc.capabilities()).changesByType;
    for (let done = cursor === last; !done;) {
      const page = await this.#orthanc.changes(cursor, this.#changesByType ? wanted : undefined);
      done = page.Done || page.Last === cursor;
      // A filtered feed ends at the last change of its types; all others up to `last` need no look either.
      cursor = page.Done ? Math.max(page.Last, last) : page.Last;
      await feed.advance(name, cursor, await this.#seriesIn(page.Changes));
    }
  }

  async #ignoreExisting(): Promise<void> {
    for await (const page of this.#pages())
      await this.#tools.feed.ignore(
        this.#orthanc.name,
        page.map(({ ID }) => ID),
        page.map(({ Instances }) => Instances.length),
      );
  }

  async *#pages(): AsyncGenerator<OrthancSeries[]> {
    for (let since = 0; ; since += listPage) {
      const page = await this.#orthanc.listCtSeries(since, listPage);
      yield page;
      if (page.length < listPage) return;
    }
  }

  async #seriesIn(changes: readonly Change[]): Promise<string[]> {
    const relevant = changes.filter(({ ChangeType }) => wanted.some((type) => type === ChangeType));
    const series = relevant.filter(({ ResourceType }) => ResourceType === 'Series').map(({ ID }) => ID);
    const instances = relevant.filter(({ ResourceType }) => ResourceType === 'Instance').map(({ ID }) => ID);
    const parents = instances.length === 0 ? [] : await this.#orthanc.seriesOfInstances(instances);
    return [...series, ...parents];
  }

  #isIgnored({ ID, Instances }: OrthancSeries): Promise<boolean> {
    return this.#tools.feed.isIgnored(this.#orthanc.name, ID, Instances.length);
  }

  async #look(pending: PendingSeries): Promise<void> {
    const { feed, log } = this.#tools;
    const series = await this.#orthanc.findSeries(pending.series);
    if (series && !this.#settling.hasSettled(series)) return;
    try {
      if (series && !(await this.#isIgnored(series))) await decideSeries(this.#orthanc, series, this.#tools);
      await feed.settle(pending, series?.Instances.length);
    } catch (error) {
      // A series that went away meanwhile comes up as gone in the next round; everything else is tried again too.
      if (error instanceof DenoiseError && error.code === 'QUEUE_UNAVAILABLE') throw error;
      log.warn(
        { orthanc: this.#orthanc.name, series: pending.series, ...errorFacts(error) },
        'cannot decide yet',
      );
    }
  }
}
