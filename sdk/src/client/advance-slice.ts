import { checkHuImage, type HuImage } from '../image/index.ts';
import type { CheckedPlan, WalkProgress } from '../plan/index.ts';
import { limits } from '../protocol/index.ts';
import { sliceAt, type SliceState } from '../session/index.ts';
import type { SliceRunOptions } from './run-slice.ts';
import { retry } from './retry.ts';

/**
 * The state of a slice before its next layer, or at its end. What comes before that is done by a worker: a filter may take
 * some tenths of a second, in which a page must not stand still.
 * @param progress where its walk stands; it begins if there is none
 * @throws IMAGE_INVALID, PLAN_*, WORKER_FAILED, CANCELLED
 */
export async function advanceSlice(
  plan: CheckedPlan,
  image: HuImage,
  { index, pool, attempts, signal }: Pick<SliceRunOptions, 'index' | 'pool' | 'attempts' | 'signal'>,
  progress?: WalkProgress,
): Promise<SliceState> {
  checkHuImage(image, limits.imageSide);
  // Slices of a series may lie in one buffer, all of which would be copied with each of them.
  const { width, height, hu, padding } = image;
  const own = { width, height, hu: hu.slice(), ...(padding ? { padding: padding.slice() } : {}) };
  const job = { kind: 'walk', plan, image: own, progress } as const;
  // As decryption does, it goes before encryption, once the slice is under way.
  const priority = 2 * index + (progress ? 0 : 1);
  const advanced = await retry(() => pool.leastLoaded().run<'walk'>(job, { priority, signal }), {
    attempts,
    signal,
  });
  return sliceAt(plan, image, advanced);
}
