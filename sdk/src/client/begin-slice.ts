import { checkHuImage, type HuImage } from '../image/index.ts';
import type { CheckedPlan } from '../plan/index.ts';
import { limits } from '../protocol/index.ts';
import { startSlice, type SliceState } from '../session/index.ts';
import type { SliceRunOptions } from './run-slice.ts';
import { retry } from './retry.ts';

/**
 * The state of a slice before its first layer. What comes before that is done by a worker: a filter may take some tenths
 * of a second, in which a page must not stand still.
 * @throws IMAGE_INVALID, PLAN_*, WORKER_FAILED, CANCELLED
 */
export async function beginSlice(
  plan: CheckedPlan,
  image: HuImage,
  { index, pool, attempts, signal }: Pick<SliceRunOptions, 'index' | 'pool' | 'attempts' | 'signal'>,
): Promise<SliceState> {
  checkHuImage(image, limits.imageSide);
  // Slices of a series may lie in one buffer, all of which would be copied with each of them.
  const { width, height, hu, padding } = image;
  const own = { width, height, hu: hu.slice(), ...(padding ? { padding: padding.slice() } : {}) };
  const job = { kind: 'begin', plan, image: own } as const;
  const priority = 2 * index + 1;
  const begun = await retry(() => pool.leastLoaded().run<'begin'>(job, { priority, signal }), {
    attempts,
    signal,
  });
  return startSlice(plan, image, begun);
}
