import type { SliceRange } from '../settings/user-settings.ts';

/** Slices before and after the one on screen that `nearby` takes. */
export const nearbySlices = 5;

/** Indices of the slices of a range around the one on screen, in the order of the series. */
export function rangeIndices(range: SliceRange, focus: number, slices: number): readonly number[] {
  const reach = { slice: 0, nearby: nearbySlices, series: slices }[range];
  return Array.from({ length: slices }, (_, index) => index).filter(
    (index) => Math.abs(index - focus) <= reach,
  );
}

/** The waiting slice nearest to the one on screen; of two equally near, the later. */
export function nearestSlice(waiting: Iterable<number>, focus: number): number | undefined {
  let nearest: number | undefined;
  for (const index of waiting) {
    const nearer = nearest === undefined ? 1 : Math.abs(nearest - focus) - Math.abs(index - focus);
    if (nearer > 0 || (nearer === 0 && index > (nearest as number))) nearest = index;
  }
  return nearest;
}
