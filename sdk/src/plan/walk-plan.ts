import { DenoiseError } from '../errors/index.ts';
import {
  broadcast,
  concatenate,
  convolve,
  globalPool,
  nonLocalMeans,
  padMap,
  piecewise,
  pixelShuffle,
  pixelUnshuffle,
  polynomial,
  pool,
  requantise,
  selectChannels,
  weightedSum,
  type FeatureMap,
  type HuImage,
} from '../image/index.ts';
import { inputsOf, type LinearNode, type PlanNode } from '../protocol/index.ts';
import type { CheckedPlan } from './check-plan.ts';
import { paddedSize, valueSizes, type ValueSize } from './value-sizes.ts';

/** Where a walk through a plan stands: it waits for the result of one linear layer. */
export interface PendingLinear {
  readonly done: false;
  readonly node: LinearNode;
  readonly input: FeatureMap;
  readonly walk: Walk;
}

/** A walk at its end. */
export interface FinishedWalk {
  readonly done: true;
  readonly image: HuImage;
}

/** How far a walk has come: the node that comes next, and the values that it and later ones still need. */
export interface WalkProgress {
  readonly next: number;
  readonly values: ReadonlyMap<string, FeatureMap>;
}

/** A walk of one image; opaque to callers. */
export interface Walk extends WalkProgress {
  readonly plan: CheckedPlan;
  readonly image: HuImage;
  /** Of every value at this image size. */
  readonly sizes: ReadonlyMap<string, ValueSize>;
}

/**
 * Starts the walk of one slice through a plan: everything but the linear layers is done here, on integers, by
 * whoever owns the image. No I/O; call {@link continueWalk} with the accumulators of each linear layer.
 * @throws PLAN_INVALID, PLAN_LIMIT if the plan does not suit the size of the image, before any memory is taken
 */
export function startWalk(plan: CheckedPlan, image: HuImage): PendingLinear | FinishedWalk {
  return resumeWalk(plan, image, advanceWalk(plan, image));
}

/** Goes on with a walk of the same plan and image that was begun elsewhere. @throws PLAN_INVALID, PLAN_LIMIT */
export function resumeWalk(
  plan: CheckedPlan,
  image: HuImage,
  progress: WalkProgress,
): PendingLinear | FinishedWalk {
  return stepAt(advanced({ ...progress, plan, image, sizes: valueSizes(plan, image.height, image.width) }));
}

/**
 * The work of a walk alone, for a worker: all that is done up to the next linear layer, or to the end.
 * @param progress where the walk stands; the beginning if there is none
 * @returns what {@link resumeWalk} goes on from, with nothing left to do
 * @throws PLAN_INVALID, PLAN_LIMIT
 */
export function advanceWalk(plan: CheckedPlan, image: HuImage, progress?: WalkProgress): WalkProgress {
  const sizes = valueSizes(plan, image.height, image.width);
  const start = progress ?? { next: 0, values: new Map([['image', clippedMap(plan, image)]]) };
  const { next, values } = advanced({ ...start, plan, image, sizes });
  return { next, values };
}

/** Where a walk stands once its linear layer is done. @param accumulators as for {@link continueWalk} */
export function progressAfter({ node, walk }: PendingLinear, accumulators: FeatureMap): WalkProgress {
  const next = walk.next + 1;
  const values = new Map(walk.values).set(node.name, accumulators);
  return { next, values: onlyNeeded(walk.plan, next, values) };
}

/**
 * Goes on from a linear layer to the next one or the end.
 * @param accumulators the exact output of `pending.node`, outChannels x height x width
 */
export function continueWalk(pending: PendingLinear, accumulators: FeatureMap): PendingLinear | FinishedWalk {
  return stepAt(advanced({ ...pending.walk, ...progressAfter(pending, accumulators) }));
}

/** @param walk at a linear layer or at the end */
function stepAt(walk: Walk): PendingLinear | FinishedWalk {
  const { plan, image, next } = walk;
  const node = plan.nodes[next];
  if (node?.op === 'linear') return { done: false, node, input: valueOf(walk.values, node.input), walk };
  return { done: true, image: outputImage(plan, image, valueOf(walk.values, plan.output)) };
}

function valueOf(values: WalkProgress['values'], name: string): FeatureMap {
  const value = values.get(name);
  if (!value) throw new DenoiseError('PLAN_INVALID', { reason: `value ${name} is not there` });
  return value;
}

function advanced(start: Walk): Walk {
  let { next } = start;
  let values = new Map(start.values);
  for (; next < start.plan.nodes.length; next++) {
    const node = start.plan.nodes[next] as PlanNode;
    if (node.op === 'linear') break;
    const value = (name: string): FeatureMap => valueOf(values, name);
    values.set(node.name, evaluate(node, value, start.sizes.get(node.name) as ValueSize));
    values = onlyNeeded(start.plan, next + 1, values);
  }
  return { ...start, next, values };
}

function evaluate(
  node: Exclude<PlanNode, LinearNode>,
  valueOf: (name: string) => FeatureMap,
  size: ValueSize,
): FeatureMap {
  switch (node.op) {
    case 'unshuffle':
      return pixelUnshuffle(valueOf(node.input), node.factor);
    case 'shuffle':
      return pixelShuffle(valueOf(node.input), node.factor, size.height, size.width);
    case 'convolution':
      return convolve(valueOf(node.input), node, node);
    case 'requantise':
      return requantise(valueOf(node.input), node);
    case 'polynomial':
      return polynomial(valueOf(node.input), node);
    case 'piecewise':
      return piecewise(valueOf(node.input), node);
    case 'add':
      return weightedSum(valueOf(node.inputs[0]), valueOf(node.inputs[1]), node);
    case 'concat':
      return concatenate(node.inputs.map(valueOf));
    case 'select':
      return selectChannels(valueOf(node.input), node.channels);
    case 'pool':
      return pool(valueOf(node.input), node);
    case 'globalPool':
      return globalPool(valueOf(node.input), node);
    case 'broadcast':
      return broadcast(valueOf(node.inputs[0]), size.height, size.width);
    case 'pad':
      return padMap(valueOf(node.input), node);
    case 'nonLocalMeans': {
      const [image, deviation, guide = image] = node.inputs;
      return nonLocalMeans(valueOf(image), valueOf(deviation), node, valueOf(guide));
    }
  }
}

function onlyNeeded(
  plan: CheckedPlan,
  next: number,
  values: ReadonlyMap<string, FeatureMap>,
): Map<string, FeatureMap> {
  const needed = new Set([plan.output]);
  for (const node of plan.nodes.slice(next)) for (const name of inputsOf(node)) needed.add(name);
  return new Map([...values].filter(([name]) => needed.has(name)));
}

/** One channel of HU, clipped to the range of the model; padding becomes the lowest value, which is air. */
function clippedMap(plan: CheckedPlan, image: HuImage): FeatureMap {
  const { lowHu, highHu } = plan.input;
  const { height, width } = paddedSize(plan, image);
  const data = new Int32Array(height * width).fill(lowHu);
  for (let i = 0; i < image.hu.length; i++) {
    if (image.padding?.[i]) continue;
    const at = width === image.width ? i : Math.floor(i / image.width) * width + (i % image.width);
    data[at] = clip(image.hu[i] as number, lowHu, highHu);
  }
  return { channels: 1, height, width, data };
}

/** Adds back what clipping took away, and puts padding back untouched. */
function outputImage(plan: CheckedPlan, image: HuImage, output: FeatureMap): HuImage {
  const { lowHu, highHu } = plan.input;
  const hu = new Int16Array(image.hu.length);
  for (let i = 0; i < hu.length; i++) {
    const original = image.hu[i] as number;
    const clippedPart = original - clip(original, lowHu, highHu);
    const at =
      output.width === image.width ? i : Math.floor(i / image.width) * output.width + (i % image.width);
    hu[i] = image.padding?.[i] ? original : clip((output.data[at] as number) + clippedPart, -32768, 32767);
  }
  return { ...image, hu };
}

const clip = (value: number, low: number, high: number): number =>
  value < low ? low : value > high ? high : value;
