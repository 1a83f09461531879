import type { ApplicationState } from '../application-state.ts';
import type { DisplaySet, Instance } from '../ohif.ts';
import type { DenoisedSeries } from '../run/denoised-series.ts';
import type { Store } from '../run/store.ts';
import type { LocalSeriesMaker } from '../viewer/local-series.ts';
import { instancesOf, refusalReason } from '../viewer/series-check.ts';
import type { Viewer } from '../viewer/viewer.ts';

/** The source series that is meant by what is on screen. */
export interface SourceSeries {
  /** The series in the active viewport, or the source of a result that is there. */
  current(): DisplaySet | undefined;
  /** Why it cannot be denoised. */
  refusal(): string | undefined;
  /** Attributes of each slice, in the order in which the viewer shows them. */
  instances(displaySet: DisplaySet): readonly Instance[];
  /** Index of the slice of a source series that is on screen, in the series itself or in a result of it. */
  focus(instances: readonly Instance[], series?: DenoisedSeries): number;
  /** The viewer shows something else. */
  update(): void;
}

export function createSourceSeries(
  viewer: Viewer,
  local: LocalSeriesMaker,
  state: Store<ApplicationState>,
  maxSlices: number,
): SourceSeries {
  function current(): DisplaySet | undefined {
    const active = viewer.activeDisplaySet();
    if (!local.isLocal(active)) return active;
    const uid = active?.displaySetInstanceUID;
    const shown = state
      .get()
      .results.find(({ local: one, difference }) =>
        [one, difference].some((made) => made?.displaySet.displaySetInstanceUID === uid),
      );
    return shown && viewer.services.displaySetService.getDisplaySetByUID(shown.sourceUid);
  }

  const refusal = (): string | undefined => refusalReason(current(), maxSlices);

  return {
    current,
    refusal,
    instances(displaySet) {
      const { metaData } = viewer.cornerstone();
      const ids = viewer.dataSource().getImageIdsForDisplaySet(displaySet);
      const found = ids.map((id) => metaData.get('instance', id) as Instance | undefined);
      return found.every((instance) => instance !== undefined) ? found : instancesOf(displaySet);
    },
    focus(instances, series) {
      const { metaData } = viewer.cornerstone();
      for (const imageId of viewer.shownImageIds()) {
        const made = local.find(imageId);
        if (made && made.series === series) return made.index;
        const uid = (metaData.get('instance', imageId) as Instance | undefined)?.['SOPInstanceUID'];
        const index = instances.findIndex((instance) => instance['SOPInstanceUID'] === uid);
        if (index >= 0) return index;
      }
      return 0;
    },
    update() {
      const displaySet = current();
      const instances = displaySet ? instancesOf(displaySet) : [];
      const description = String(instances[0]?.['SeriesDescription'] ?? '');
      state.set({ series: { slices: instances.length, description, reason: refusal() } });
    },
  };
}
