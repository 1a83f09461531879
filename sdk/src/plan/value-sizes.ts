import { DenoiseError } from '../errors/index.ts';
import { blockPixels, blockSides, windowedSize } from '../image/index.ts';
import { inputsOf, limits, type Plan, type PlanNode } from '../protocol/index.ts';

/** Rows and columns of one value of a plan for a given image. */
export interface ValueSize {
  readonly height: number;
  readonly width: number;
}

/** Size that an image is given before anything else: see `input.multiple` of the plan. */
export function paddedSize(plan: Pick<Plan, 'input'>, { height, width }: ValueSize): ValueSize {
  const { multiple = 1 } = plan.input;
  return { height: Math.ceil(height / multiple) * multiple, width: Math.ceil(width / multiple) * multiple };
}

/**
 * Size of every value of a plan, by name, for an image of `height` x `width` pixels, before any memory is taken.
 * @throws PLAN_LIMIT if a map would be too large or a window does not fit, PLAN_INVALID if sizes do not fit together
 */
export function valueSizes(plan: Plan, height: number, width: number): ReadonlyMap<string, ValueSize> {
  const image = paddedSize(plan, { height, width });
  const sizes = new Map([['image', image]]);
  const channels = new Map([['image', 1]]);
  const exact = plan.input.multiple !== undefined;
  const lastUse = new Map(plan.nodes.flatMap((node) => inputsOf(node).map((name) => [name, node] as const)));
  let live = image.height * image.width;
  for (const node of plan.nodes) {
    const inputs = inputsOf(node).map((name) => {
      const size = sizes.get(name);
      if (!size) throw invalid(node, `input ${name} does not stand before it`);
      return size;
    });
    // One pixel becomes as large as the map beside it.
    const alike = node.op === 'broadcast' ? inputs.slice(1) : inputs;
    const [input = image] = alike;
    if (alike.some((size) => size.height !== input.height || size.width !== input.width))
      throw invalid(node, 'the inputs differ in size at this image size');
    const size = sizeOf(node, input, image, exact);
    const count = channelsOf(node, inputsOf(node), channels);
    if (size.height < 1 || size.width < 1)
      throw new DenoiseError('PLAN_LIMIT', {
        node: node.name,
        height,
        width,
        reason: 'the image is too small',
      });
    if (size.height * size.width * count > limits.mapElements)
      throw new DenoiseError('PLAN_LIMIT', { node: node.name, ...size, channels: count });
    sizes.set(node.name, size);
    channels.set(node.name, count);
    live += size.height * size.width * count;
    if (live > limits.liveElements) throw new DenoiseError('PLAN_LIMIT', { node: node.name, live });
    for (const name of new Set(inputsOf(node)))
      if (lastUse.get(name) === node) {
        const done = sizes.get(name) as ValueSize;
        live -= done.height * done.width * (channels.get(name) ?? 0);
      }
  }
  const output = sizes.get(plan.output);
  if (output?.height !== image.height || output.width !== image.width)
    throw new DenoiseError('PLAN_INVALID', {
      path: 'output',
      reason: 'the output does not have the size of the image',
    });
  return sizes;
}

function sizeOf(node: PlanNode, input: ValueSize, image: ValueSize, exact: boolean): ValueSize {
  switch (node.op) {
    case 'unshuffle': {
      const [rows, columns] = blockSides(node.factor);
      const size = { height: input.height / rows, width: input.width / columns };
      if (!exact) return { height: Math.ceil(size.height), width: Math.ceil(size.width) };
      if (!Number.isInteger(size.height) || !Number.isInteger(size.width))
        throw invalid(node, 'the size does not divide at this image size');
      return size;
    }
    case 'shuffle': {
      const [rows, columns] = blockSides(node.factor);
      const size = { height: input.height * rows, width: input.width * columns };
      // What unshuffle padded is cut off again.
      return exact
        ? size
        : { height: Math.min(size.height, image.height), width: Math.min(size.width, image.width) };
    }
    case 'linear':
    case 'convolution':
    case 'pool':
      return windowedSize(node, input.height, input.width);
    case 'globalPool':
      return { height: 1, width: 1 };
    case 'pad': {
      const [top, left, bottom, right] = node.padding;
      const short = Math.max(top, bottom) >= input.height || Math.max(left, right) >= input.width;
      if (node.fill === 'reflect' && short) throw invalid(node, 'it mirrors more than there is');
      return { height: input.height + top + bottom, width: input.width + left + right };
    }
    default:
      return input;
  }
}

function channelsOf(
  node: PlanNode,
  inputs: readonly string[],
  channels: ReadonlyMap<string, number>,
): number {
  const [input = 0, ...others] = inputs.map((name) => channels.get(name) ?? 0);
  switch (node.op) {
    case 'unshuffle':
      return input * blockPixels(node.factor);
    case 'shuffle':
      return input / blockPixels(node.factor);
    case 'linear':
    case 'convolution':
      return node.outChannels;
    case 'select':
      return node.channels.length;
    case 'concat':
      return others.reduce((sum, count) => sum + count, input);
    default:
      return input;
  }
}

const invalid = (node: PlanNode, reason: string): DenoiseError =>
  new DenoiseError('PLAN_INVALID', { node: node.name, reason });
