import type { ApplicationState, ResultView } from '../application-state.ts';
import type { ModelChoice } from '../model-host.ts';
import type { DisplaySet, Instance } from '../ohif.ts';
import { DenoisedSeries } from '../run/denoised-series.ts';
import type { Store } from '../run/store.ts';
import { replaceInViewports, showSideBySide, swapInPlace } from '../viewer/compare.ts';
import type { LocalSeriesMaker } from '../viewer/local-series.ts';
import type { Viewer } from '../viewer/viewer.ts';
import type { SourceSeries } from './source-series.ts';

/** What was made of which series, and how it is looked at. */
export interface Results {
  /** The result of a series with a model, made now if there is none. */
  of(source: DisplaySet, instances: readonly Instance[], chosen: ModelChoice): ResultView;
  /** The result that belongs to what is on screen, else the newest. */
  current(): ResultView | undefined;
  setStrength(result: ResultView, percent: number): void;
  /** Original and result side by side. */
  compare(result?: ResultView): Promise<void>;
  /** Original, result, and what was taken away. */
  difference(result?: ResultView): Promise<void>;
  /** Original and result in turn, in the same viewport. */
  blink(): Promise<void>;
  discard(result: ResultView): Promise<void>;
}

export function createResults(
  viewer: Viewer,
  local: LocalSeriesMaker,
  source: SourceSeries,
  state: Store<ApplicationState>,
): Results {
  const sourceOf = (result: ResultView): DisplaySet | undefined =>
    viewer.services.displaySetService.getDisplaySetByUID(result.sourceUid);

  function current(): ResultView | undefined {
    const { results } = state.get();
    const uid = source.current()?.displaySetInstanceUID;
    return results.findLast(({ sourceUid }) => sourceUid === uid) ?? results.at(-1);
  }

  return {
    current,
    of({ displaySetInstanceUID: sourceUid }, instances, chosen) {
      const { results } = state.get();
      const old = results.find(
        ({ sourceUid: uid, series: { model, mode } }) =>
          uid === sourceUid && model.digest === chosen.model.digest && mode === chosen.mode,
      );
      if (old) return old;
      const series = emptySeries(instances, chosen);
      const result = { series, local: local.add(series, 'denoised', instances), sourceUid };
      state.set({ results: [...results, result] });
      return result;
    },
    setStrength(result, percent) {
      result.series.strength = percent;
      result.local.refresh();
      result.difference?.refresh();
      state.set({ results: [...state.get().results] });
    },
    async compare(result = current()) {
      const original = result && sourceOf(result);
      if (original) await showSideBySide(viewer, [original, result.local.displaySet]);
    },
    async difference(result = current()) {
      const original = result && sourceOf(result);
      if (!original) return;
      const difference =
        result.difference ?? local.add(result.series, 'difference', source.instances(original));
      state.set({
        results: state.get().results.map((one) => (one === result ? { ...one, difference } : one)),
      });
      await showSideBySide(viewer, [original, result.local.displaySet, difference.displaySet], 2);
    },
    async blink() {
      const result = current();
      const original = result && sourceOf(result);
      if (!original) return;
      const shown = viewer.activeDisplaySet()?.displaySetInstanceUID;
      const { displaySet } = result.local;
      const next = shown === displaySet.displaySetInstanceUID ? original : displaySet;
      await swapInPlace(viewer, next, source.focus(source.instances(original), result.series));
    },
    async discard(result) {
      const original = sourceOf(result);
      const own = [result.local, result.difference].map((made) => made?.displaySet.displaySetInstanceUID);
      if (original) await replaceInViewports(viewer, own, original);
      result.difference?.remove();
      result.local.remove();
      state.set({ results: state.get().results.filter(({ local: one }) => one !== result.local) });
    },
  };
}

/** A series of which no slice is done. */
function emptySeries(instances: readonly Instance[], chosen: ModelChoice): DenoisedSeries {
  const [first] = instances as readonly [Instance];
  const text = (instance: Instance, keyword: string): string => String(instance[keyword] ?? '');
  return new DenoisedSeries({
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
}
