import type { ModelSummary } from '@cipherdose/sdk';
import type { RunReport } from '../application-state.ts';
import type { SliceRange } from '../settings/user-settings.ts';
import { nearbySlices } from './slice-order.ts';

/**
 * Bytes of a run, from what the host says of a 512 x 512 slice, and seconds, from what slices took before.
 * @returns seconds undefined as long as nothing was measured
 */
export function estimateRun(
  { cost }: Pick<ModelSummary, 'cost'>,
  range: SliceRange,
  slices: number,
  before: Pick<RunReport, 'slices' | 'seconds'> | undefined,
): { readonly bytes: number; readonly seconds: number | undefined } {
  const taken = { slice: 1, nearby: Math.min(slices, 2 * nearbySlices + 1), series: slices }[range];
  return {
    bytes: taken * (cost.bytesUp + cost.bytesDown),
    seconds: before && before.slices > 0 ? (taken * before.seconds) / before.slices : undefined,
  };
}
