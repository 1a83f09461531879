import type { HuImage } from '../image/index.ts';
import { layerTilings } from '../packing/index.ts';
import type { CheckedPlan } from '../plan/index.ts';
import { sliceLayout } from '../private-session/index.ts';
import type { Mode } from '../protocol/index.ts';
import type { ProgressMeter } from './progress-meter.ts';
import type { SeriesItem } from './run-series.ts';

/** The images of a stream as items; an invalid one fails when it is started, and the others go on. */
export async function* streamItems(
  images: AsyncIterable<HuImage>,
): AsyncGenerator<SeriesItem, void, undefined> {
  let index = 0;
  for await (const image of images) yield { index: index++, image };
}

/** The items of a stream, each told to the meter when it comes. */
export async function* metered(
  items: AsyncIterable<SeriesItem>,
  plan: CheckedPlan,
  meter: ProgressMeter,
  mode: Mode,
): AsyncGenerator<SeriesItem, void, undefined> {
  for await (const item of items) {
    meter.expect(item.index, countTiles(plan, item.image, mode));
    yield item;
  }
  meter.expectNoMore();
}

/**
 * Tiles of all layers; in private mode with the pieces of their activations, each prepared and done. 0 for an image that
 * the plan cannot take, whose slice will fail with the reason.
 */
export function countTiles(plan: CheckedPlan, image: HuImage, mode: Mode): number {
  try {
    const tiles = layerTilings(plan, image.height, image.width).reduce(
      (sum, { tiling }) => sum + tiling.tiles,
      0,
    );
    if (mode !== 'private') return tiles;
    return sliceLayout(plan, image).layers.reduce((sum, { chunks }) => sum + 2 * chunks.length, tiles);
  } catch {
    return 0;
  }
}
