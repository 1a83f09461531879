import type { DisplaySet } from '../ohif.ts';
import type { Viewer } from './viewer.ts';

const pollMs = 100;
const polls = 50;
const settleMs = 300;

/**
 * Shows series side by side, scrolled together.
 * @param sharedWindow how many of them, from the left, share one grey window
 */
export async function showSideBySide(
  viewer: Viewer,
  displaySets: readonly DisplaySet[],
  sharedWindow = displaySets.length,
): Promise<void> {
  const { viewportGridService, cornerstoneViewportService } = viewer.services;
  const viewportIds = (): readonly string[] => [...viewportGridService.getState().viewports.keys()];
  // OHIF tells nobody when the viewports of a new layout can be used.
  async function until(condition: () => boolean): Promise<void> {
    for (let poll = 0; poll < polls && !condition(); poll++)
      await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
  if (viewportIds().length !== displaySets.length) {
    viewer.runCommand('setViewportGridLayout', { numRows: 1, numCols: displaySets.length });
    await until(() => viewportIds().length === displaySets.length);
    // The new grid is drawn before it takes series.
    await new Promise((resolve) => setTimeout(resolve, settleMs));
  }
  const ids = viewportIds().slice(0, displaySets.length);
  await viewportGridService.setDisplaySetsForViewports(
    ids.map((viewportId, i) => ({
      viewportId,
      displaySetInstanceUIDs: [(displaySets[i] as DisplaySet).displaySetInstanceUID],
    })),
  );
  // Those of series that were not shown before come into being now.
  await until(() => ids.every((id) => cornerstoneViewportService.getCornerstoneViewport(id)));
  link(viewer, ids, 'imageSlice');
  link(viewer, ids.slice(0, sharedWindow), 'voi');
}

/** Viewports of one group follow each other; those that were in it before leave it. */
function link({ services }: Viewer, viewportIds: readonly string[], type: 'imageSlice' | 'voi'): void {
  const { cornerstoneViewportService, syncGroupService, viewportGridService } = services;
  const id = `cipherdose-${type}`;
  for (const viewportId of viewportGridService.getState().viewports.keys()) {
    const viewport = cornerstoneViewportService.getCornerstoneViewport(viewportId);
    const engine = viewport?.getRenderingEngine().id;
    if (engine === undefined) continue;
    if (syncGroupService.getSynchronizer(id))
      syncGroupService.removeViewportFromSyncGroup(viewportId, engine, id);
    if (!viewportIds.includes(viewportId)) continue;
    syncGroupService.addViewportToSyncGroup(viewportId, engine, { type, id, source: true, target: true });
  }
}

/** Puts another series of the same geometry into the active viewport, at the same slice. */
export async function swapInPlace(viewer: Viewer, displaySet: DisplaySet, slice: number): Promise<void> {
  const { viewportGridService } = viewer.services;
  await viewportGridService.setDisplaySetsForViewports([
    {
      viewportId: viewportGridService.getActiveViewportId(),
      displaySetInstanceUIDs: [displaySet.displaySetInstanceUID],
      viewportOptions: { initialImageOptions: { index: slice } },
    },
  ]);
}

/** Shows another series wherever one of some series is shown. */
export async function replaceInViewports(
  { services: { viewportGridService } }: Viewer,
  shown: readonly (string | undefined)[],
  displaySet: DisplaySet,
): Promise<void> {
  const viewports = [...viewportGridService.getState().viewports];
  const ids = viewports.flatMap(([id, { displaySetInstanceUIDs = [] }]) =>
    displaySetInstanceUIDs.some((uid) => shown.includes(uid)) ? [id] : [],
  );
  if (ids.length === 0) return;
  await viewportGridService.setDisplaySetsForViewports(
    ids.map((viewportId) => ({
      viewportId,
      displaySetInstanceUIDs: [displaySet.displaySetInstanceUID],
    })),
  );
}
