import { checkHuImage, type HuImage } from '../image/index.ts';
import { layerTilings } from '../packing/index.ts';
import type { CheckedPlan } from '../plan/index.ts';
import { limits } from '../protocol/index.ts';
import { startSlice, type SliceState } from '../session/index.ts';
import type { ProgressMeter } from './progress-meter.ts';
import type { SeriesItem } from './run-series.ts';

/** The images of a stream as items; an invalid one fails when it is started, and the others go on. */
export async function* streamItems(
  plan: CheckedPlan,
  images: AsyncIterable<HuImage>,
): AsyncGenerator<SeriesItem, void, undefined> {
  let index = 0;
  for await (const image of images) {
    const start = (): SliceState => {
      checkHuImage(image, limits.imageSide);
      return startSlice(plan, image);
    };
    yield { index: index++, image, start };
  }
}

/** The items of a stream, each told to the meter when it comes. */
export async function* metered(
  items: AsyncIterable<SeriesItem>,
  plan: CheckedPlan,
  meter: ProgressMeter,
): AsyncGenerator<SeriesItem, void, undefined> {
  for await (const item of items) {
    meter.expect(item.index, countTiles(plan, item.image));
    yield item;
  }
  meter.expectNoMore();
}

/** Tiles of all layers; 0 for an image that the plan cannot take, whose slice will fail with the reason. */
export function countTiles(plan: CheckedPlan, image: HuImage): number {
  try {
    return layerTilings(plan, image.height, image.width).reduce((sum, { tiling }) => sum + tiling.tiles, 0);
  } catch {
    return 0;
  }
}
