import { emptyMap, type FeatureMap, type HuImage } from '../image/index.ts';
import {
  frameBytes,
  layerExchange,
  outputsPerTile,
  planTiling,
  readTile,
  tileGroups,
  tilesPerGroup,
  type LayerExchange,
  type TileGroup,
  type Tiling,
} from '../packing/index.ts';
import {
  progressAfter,
  resumeWalk,
  type CheckedPlan,
  type PendingLinear,
  type WalkProgress,
} from '../plan/index.ts';
import { parameterSet, type LinearNode, type ParameterSet } from '../protocol/index.ts';

/** One tile group that has to go to the host and back. */
export interface GroupExchange extends LayerExchange {
  readonly group: TileGroup;
  readonly bytesUp: number;
  readonly bytesDown: number;
}

/** A slice that waits for its linear layer `node`: every exchange has to be done, in any order. */
export interface AwaitingLayer {
  readonly done: false;
  readonly set: ParameterSet;
  readonly node: LinearNode;
  readonly input: FeatureMap;
  readonly tiling: Tiling;
  readonly exchanges: readonly GroupExchange[];
  readonly pending: PendingLinear;
}

export interface FinishedSlice {
  readonly done: true;
  readonly image: HuImage;
}

export type SliceState = AwaitingLayer | FinishedSlice;

/** What came back for one exchange: accumulators [tile][channel][output]. */
export interface GroupResult {
  readonly group: TileGroup;
  readonly accumulators: Int32Array;
}

/** Where the walk of a slice stands once every exchange of a layer has its result. */
export function layerDone(
  { node, tiling, pending }: AwaitingLayer,
  results: readonly GroupResult[],
): WalkProgress {
  const output = emptyMap(node.outChannels, tiling.outHeight, tiling.outWidth);
  const outputs = outputsPerTile(tiling);
  for (const { group, accumulators } of results)
    for (let i = 0; i < group.tiles * node.outChannels; i++) {
      const tile = group.firstTile + Math.floor(i / node.outChannels);
      readTile(
        accumulators.subarray(i * outputs, (i + 1) * outputs),
        i % node.outChannels,
        tile,
        tiling,
        output,
      );
    }
  return progressAfter(pending, output);
}

/**
 * State of the run of one slice. The run is these states; whoever goes from one to the next does the I/O, and has the
 * walk advanced in between.
 * @param progress the walk up to a linear layer or to its end
 * @throws PLAN_INVALID, PLAN_LIMIT
 */
export function sliceAt(plan: CheckedPlan, image: HuImage, progress: WalkProgress): SliceState {
  const step = resumeWalk(plan, image, progress);
  if (step.done) return step;
  const { node, input } = step;
  const set = parameterSet(plan.parameterSet);
  const tiling = planTiling(node, input.height, input.width, set);
  const exchanges = tileGroups(tiling, tilesPerGroup).map((group) => {
    const exchange = layerExchange(plan.digest, node, set, input, tiling, group);
    return {
      ...exchange,
      group,
      bytesUp: frameBytes(exchange.request),
      bytesDown: frameBytes(exchange.reply),
    };
  });
  return { done: false, set, node, input, tiling, exchanges, pending: step };
}
