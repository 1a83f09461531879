import { parameterSet, type LinearNode, type Plan } from '../protocol/index.ts';
import { outputSize, planTiling, type Tiling } from './tiling.ts';

/** One linear layer at a given image size. */
export interface LayerTiling {
  readonly node: LinearNode;
  /** Size of the layer's input map. */
  readonly map: { readonly height: number; readonly width: number };
  readonly tiling: Tiling;
}

/** Tilings of every linear layer for an image of `height` x `width` pixels. @throws PLAN_LIMIT */
export function layerTilings(plan: Plan, height: number, width: number): LayerTiling[] {
  const set = parameterSet(plan.parameterSet);
  const image = { height, width };
  const sizes = new Map([['image', image]]);
  const layers: LayerTiling[] = [];
  for (const node of plan.nodes) {
    const map = sizes.get(node.op === 'add' ? node.inputs[0] : node.input) ?? image;
    switch (node.op) {
      case 'unshuffle':
        sizes.set(node.name, {
          height: Math.ceil(map.height / node.factor),
          width: Math.ceil(map.width / node.factor),
        });
        break;
      case 'shuffle':
        sizes.set(node.name, {
          height: Math.min(height, map.height * node.factor),
          width: Math.min(width, map.width * node.factor),
        });
        break;
      case 'linear':
        sizes.set(node.name, outputSize(node, map.height, map.width));
        layers.push({ node, map, tiling: planTiling(node, map.height, map.width, set) });
        break;
      default:
        sizes.set(node.name, map);
    }
  }
  return layers;
}
