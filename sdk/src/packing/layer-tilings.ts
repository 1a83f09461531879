import { valueSizes, type ValueSize } from '../plan/index.ts';
import { parameterSet, type LinearNode, type Plan } from '../protocol/index.ts';
import { planTiling, type Tiling } from './tiling.ts';

/** One linear layer at a given image size. */
export interface LayerTiling {
  readonly node: LinearNode;
  /** Size of the layer's input map. */
  readonly map: ValueSize;
  readonly tiling: Tiling;
}

/** Tilings of every linear layer for an image of `height` x `width` pixels. @throws PLAN_LIMIT, PLAN_INVALID */
export function layerTilings(plan: Plan, height: number, width: number): LayerTiling[] {
  const set = parameterSet(plan.parameterSet);
  const sizes = valueSizes(plan, height, width);
  return plan.nodes
    .filter((node) => node.op === 'linear')
    .map((node) => {
      const map = sizes.get(node.input) as ValueSize;
      return { node, map, tiling: planTiling(node, map.height, map.width, set) };
    });
}
