import { DenoiseError } from '../errors/index.ts';
import {
  pixelShuffle,
  pixelUnshuffle,
  polynomial,
  requantise,
  weightedSum,
  type FeatureMap,
  type HuImage,
} from '../image/index.ts';
import type { LinearNode, PlanNode } from '../protocol/index.ts';
import type { CheckedPlan } from './check-plan.ts';

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

/** The values that later nodes still need; opaque to callers. */
export interface Walk {
  readonly plan: CheckedPlan;
  readonly image: HuImage;
  readonly next: number;
  readonly values: ReadonlyMap<string, FeatureMap>;
}

/**
 * Starts the walk of one slice through a plan: everything but the linear layers is done here, on integers, by
 * whoever owns the image. No I/O; call {@link continueWalk} with the accumulators of each linear layer.
 */
export function startWalk(plan: CheckedPlan, image: HuImage): PendingLinear | FinishedWalk {
  return proceed({ plan, image, next: 0, values: new Map([['image', clippedMap(plan, image)]]) });
}

/**
 * Goes on from a linear layer to the next one or the end.
 * @param accumulators the exact output of `pending.node`, outChannels x height x width
 */
export function continueWalk(pending: PendingLinear, accumulators: FeatureMap): PendingLinear | FinishedWalk {
  const { plan, next, values } = pending.walk;
  const extended = new Map(values).set(pending.node.name, accumulators);
  return proceed({ ...pending.walk, next: next + 1, values: onlyNeeded(plan, next + 1, extended) });
}

function proceed(start: Walk): PendingLinear | FinishedWalk {
  let { next } = start;
  let values = new Map(start.values);
  const valueOf = (name: string): FeatureMap => {
    const value = values.get(name);
    if (!value) throw new DenoiseError('PLAN_INVALID', { reason: `value ${name} is not there` });
    return value;
  };
  for (; next < start.plan.nodes.length; next++) {
    const node = start.plan.nodes[next] as PlanNode;
    if (node.op === 'linear')
      return { done: false, node, input: valueOf(node.input), walk: { ...start, next, values } };
    values.set(node.name, evaluate(node, valueOf, start.image));
    values = onlyNeeded(start.plan, next + 1, values);
  }
  return { done: true, image: outputImage(start.plan, start.image, valueOf(start.plan.output)) };
}

function evaluate(
  node: Exclude<PlanNode, LinearNode>,
  valueOf: (name: string) => FeatureMap,
  image: HuImage,
): FeatureMap {
  switch (node.op) {
    case 'unshuffle':
      return pixelUnshuffle(valueOf(node.input), node.factor);
    case 'shuffle': {
      const input = valueOf(node.input);
      // What unshuffle padded is cut off again; checkPlan lets a shuffle come back to the size of the image only.
      const height = Math.min(input.height * node.factor, image.height);
      const width = Math.min(input.width * node.factor, image.width);
      return pixelShuffle(input, node.factor, height, width);
    }
    case 'requantise':
      return requantise(valueOf(node.input), node);
    case 'polynomial':
      return polynomial(valueOf(node.input), node);
    case 'add': {
      const [a, b] = [valueOf(node.inputs[0]), valueOf(node.inputs[1])];
      if (a.data.length !== b.data.length || a.width !== b.width) throw misshapen(node.name);
      return weightedSum(a, b, node);
    }
  }
}

const misshapen = (node: string): DenoiseError =>
  new DenoiseError('PLAN_INVALID', { node, reason: 'shapes differ at this image size' });

function onlyNeeded(
  plan: CheckedPlan,
  next: number,
  values: ReadonlyMap<string, FeatureMap>,
): Map<string, FeatureMap> {
  const needed = new Set([plan.output]);
  for (const node of plan.nodes.slice(next)) for (const name of inputsOf(node)) needed.add(name);
  return new Map([...values].filter(([name]) => needed.has(name)));
}

const inputsOf = (node: PlanNode): readonly string[] => (node.op === 'add' ? node.inputs : [node.input]);

/** One channel of HU, clipped to the range of the model; padding becomes the lowest value, which is air. */
function clippedMap(plan: CheckedPlan, image: HuImage): FeatureMap {
  const { lowHu, highHu } = plan.input;
  const data = new Int32Array(image.hu.length);
  for (let i = 0; i < data.length; i++)
    data[i] = image.padding?.[i] ? lowHu : clip(image.hu[i] as number, lowHu, highHu);
  return { channels: 1, height: image.height, width: image.width, data };
}

/** Adds back what clipping took away, and puts padding back untouched. */
function outputImage(plan: CheckedPlan, image: HuImage, output: FeatureMap): HuImage {
  if (output.height !== image.height || output.width !== image.width) throw misshapen(plan.output);
  const { lowHu, highHu } = plan.input;
  const hu = new Int16Array(image.hu.length);
  for (let i = 0; i < hu.length; i++) {
    const original = image.hu[i] as number;
    const clippedPart = original - clip(original, lowHu, highHu);
    hu[i] = image.padding?.[i] ? original : clip((output.data[i] as number) + clippedPart, -32768, 32767);
  }
  return { ...image, hu };
}

const clip = (value: number, low: number, high: number): number =>
  value < low ? low : value > high ? high : value;
