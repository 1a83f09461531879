import type { ModelDetail } from '@cipherdose/sdk';
import { privateCost } from '@cipherdose/sdk/private-session';
import type { RunReport } from '../application-state.ts';
import type { ModelChoice } from '../model-host.ts';
import type { SliceRange } from '../settings/user-settings.ts';
import { nearbySlices } from './slice-order.ts';

/** What one slice of 512 x 512 pixels costs. */
export interface SliceCost {
  /** Both ways. */
  readonly bytes: number;
  /** Of them, those that wait for the image; only where the others need not. */
  readonly onlineBytes?: number;
  readonly rounds: number;
}

const side = 512;

/**
 * @param detail of a model; private mode needs that of this one
 * @returns undefined as long as it is not known
 */
export function sliceCost(
  { model, mode }: ModelChoice,
  detail: Pick<ModelDetail, 'digest' | 'plan'> | undefined,
): SliceCost | undefined {
  const { cost, digest } = model;
  const frames = cost.bytesUp + cost.bytesDown;
  if (mode !== 'private') return { bytes: frames, rounds: cost.rounds };
  if (detail?.digest !== digest) return undefined;
  const { offlineBytes, onlineBytes, rounds } = privateCost(detail.plan, side, side);
  return { bytes: frames + offlineBytes + onlineBytes, onlineBytes, rounds };
}

/**
 * Bytes of a run, and seconds, from what slices took before.
 * @returns seconds undefined as long as nothing was measured
 */
export function estimateRun(
  { bytes }: Pick<SliceCost, 'bytes'>,
  range: SliceRange,
  slices: number,
  before: Pick<RunReport, 'slices' | 'seconds'> | undefined,
): { readonly bytes: number; readonly seconds: number | undefined } {
  const taken = { slice: 1, nearby: Math.min(slices, 2 * nearbySlices + 1), series: slices }[range];
  return {
    bytes: taken * bytes,
    seconds: before && before.slices > 0 ? (taken * before.seconds) / before.slices : undefined,
  };
}
