import { DenoiseError } from '../errors/index.ts';
import {
  accumulatorBound,
  blockPixels,
  blockSides,
  largestInverse,
  safeProduct,
  windowedSize,
  type Windows,
} from '../image/index.ts';
import {
  digestOf,
  limits,
  parameterSet,
  planSchema,
  type ConvolutionNode,
  type GlobalPoolNode,
  type LinearNode,
  type NonLocalMeansNode,
  type PiecewiseNode,
  type Plan,
  type PlanNode,
  type PoolNode,
} from '../protocol/index.ts';

/** What is known of a value of the graph before any image is seen. */
export interface ValueShape {
  readonly channels: number;
  /**
   * Size relative to the image, [rows, columns]: the products of shuffle factors and strides so far. 0 and 0: one pixel,
   * however large the image.
   */
  readonly scale: readonly [number, number];
  /** Every integer of the value is in low..high. */
  readonly low: number;
  readonly high: number;
}

/** A plan that was parsed, whose shapes and ranges fit, with its digest. Frozen. */
export interface CheckedPlan extends Plan {
  readonly digest: string;
}

/** SHA-256 of the canonical JSON of a plan. */
export const planDigest = (plan: Plan): string => digestOf(plan);

/**
 * Parses a plan from anywhere and checks that it can be evaluated exactly: names, order, channels, layer numbers, and
 * that no product leaves 2^53 and no accumulator t/2.
 * @param expectedDigest if given, the SHA-256 that the plan must have
 * @throws PLAN_INVALID, PLAN_DIGEST, PLAN_LIMIT, ACCUMULATOR_BOUND
 */
export function checkPlan(untrusted: unknown, expectedDigest?: string): CheckedPlan {
  const parsed = planSchema.safeParse(untrusted);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new DenoiseError('PLAN_INVALID', {
      path: issue?.path.join('.') ?? '',
      reason: issue?.message ?? '',
    });
  }
  const plan = parsed.data;
  const digest = planDigest(plan);
  if (expectedDigest !== undefined && expectedDigest !== digest)
    throw new DenoiseError('PLAN_DIGEST', { got: digest, expected: expectedDigest });
  checkGraph(plan);
  return Object.freeze({ ...plan, digest });
}

/**
 * Shape and range of every value of a plan, by name, `image` included.
 * @throws PLAN_INVALID, PLAN_LIMIT, ACCUMULATOR_BOUND
 */
export const valueShapes = (plan: Plan): ReadonlyMap<string, ValueShape> => checkGraph(plan);

function checkGraph(plan: Plan): Map<string, ValueShape> {
  if (plan.input.lowHu >= plan.input.highHu) throw new DenoiseError('PLAN_INVALID', { path: 'input' });
  const values = new Map<string, ValueShape>([
    ['image', { channels: 1, scale: [1, 1], low: plan.input.lowHu, high: plan.input.highHu }],
  ]);
  let layers = 0;
  for (const node of plan.nodes) {
    if (values.has(node.name)) throw invalid(node, 'the name is taken');
    if (node.op === 'linear' && node.layer !== layers++)
      throw invalid(node, 'layers are not numbered in order');
    values.set(
      node.name,
      shapeOf(node, plan, (name) => {
        const value = values.get(name);
        if (!value) throw invalid(node, `input ${name} does not stand before it`);
        return value;
      }),
    );
  }
  if (layers === 0) throw new DenoiseError('PLAN_INVALID', { reason: 'there is no linear layer' });
  if (plan.framework === 'linear' && layers !== 1)
    throw new DenoiseError('PLAN_INVALID', { reason: 'the linear framework has one layer' });
  const output = values.get(plan.output);
  const fits = output?.channels === 1 && isScale(output, 1) && output.low >= -32768 && output.high <= 32767;
  if (!fits) throw new DenoiseError('PLAN_INVALID', { path: 'output', reason: 'the output is not an image' });
  return values;
}

function shapeOf(node: PlanNode, plan: Plan, value: (name: string) => ValueShape): ValueShape {
  switch (node.op) {
    case 'unshuffle': {
      const input = notOnePixel(node, value(node.input));
      const channels = input.channels * blockPixels(node.factor);
      if (channels > limits.channels) throw new DenoiseError('PLAN_LIMIT', { node: node.name, channels });
      return {
        ...input,
        channels,
        scale: scaledBy(input, blockSides(node.factor)),
        low: Math.min(0, input.low),
        high: Math.max(0, input.high),
      };
    }
    case 'shuffle': {
      const input = notOnePixel(node, value(node.input));
      const channels = input.channels / blockPixels(node.factor);
      const [rows, columns] = blockSides(node.factor);
      const scale: Scale = [input.scale[0] / rows, input.scale[1] / columns];
      if (!Number.isInteger(channels)) throw invalid(node, 'channels do not divide');
      if (!isScale({ scale }, 1) && plan.input.multiple === undefined)
        throw invalid(node, 'a shuffle has to come back to the size of the image');
      if (!scale.every(Number.isInteger)) throw invalid(node, 'a shuffle beyond the size of the image');
      return { ...input, channels, scale };
    }
    case 'linear':
      return linearShape(node, plan, value(node.input));
    case 'convolution':
      return convolutionShape(node, value(node.input));
    case 'requantise': {
      const input = value(node.input);
      for (const multipliers of [node.positive, node.negative])
        if (multipliers.length !== 1 && multipliers.length !== input.channels)
          throw invalid(node, 'multipliers do not match the channels');
      const multiplier = Math.max(...node.positive.map(Math.abs), ...node.negative.map(Math.abs));
      checkProduct(node, magnitude(input) * multiplier + 2 ** node.shift);
      return { ...input, ...checkRange(node) };
    }
    case 'polynomial': {
      const input = value(node.input);
      const x = magnitude(input);
      const [square, slope, constant] = [node.square, node.slope, node.constant].map((coefficient) => {
        const list = typeof coefficient === 'number' ? [coefficient] : coefficient;
        if (list.length !== 1 && list.length !== input.channels)
          throw invalid(node, 'coefficients do not match the channels');
        return Math.max(...list.map(Math.abs));
      }) as [number, number, number];
      checkProduct(node, (square * x + slope) * x + constant + 2 ** node.shift);
      return { ...input, ...checkRange(node) };
    }
    case 'piecewise':
      return piecewiseShape(node, value(node.input));
    case 'add': {
      const [a, b] = [value(node.inputs[0]), value(node.inputs[1])];
      if (a.channels !== b.channels || !sameScale(a, b)) throw invalid(node, 'the inputs differ in shape');
      const [first, second] = node.multipliers;
      checkProduct(node, magnitude(a) * Math.abs(first) + magnitude(b) * Math.abs(second) + 2 ** node.shift);
      return { ...a, ...checkRange(node) };
    }
    case 'concat': {
      const inputs = node.inputs.map(value);
      const [first] = inputs as [ValueShape];
      if (!inputs.every((input) => sameScale(input, first)))
        throw invalid(node, 'the inputs differ in shape');
      const channels = inputs.reduce((sum, input) => sum + input.channels, 0);
      if (channels > limits.channels) throw new DenoiseError('PLAN_LIMIT', { node: node.name, channels });
      return { channels, scale: first.scale, low: least(inputs), high: most(inputs) };
    }
    case 'select': {
      const input = value(node.input);
      if (Math.max(...node.channels) >= input.channels)
        throw invalid(node, 'it selects a channel that is not there');
      return { ...input, channels: node.channels.length };
    }
    case 'pool':
      return poolShape(node, value(node.input));
    case 'globalPool':
      return globalPoolShape(node, value(node.input));
    case 'broadcast': {
      const [pixel, like] = [value(node.inputs[0]), value(node.inputs[1])];
      if (!isScale(pixel, 0)) throw invalid(node, 'what it repeats is not one pixel');
      return { ...pixel, scale: like.scale };
    }
    case 'pad': {
      const input = notOnePixel(node, value(node.input));
      return node.fill === 'zero'
        ? { ...input, low: Math.min(0, input.low), high: Math.max(0, input.high) }
        : input;
    }
    case 'nonLocalMeans':
      return nonLocalMeansShape(node, node.inputs.map(value));
  }
}

function nonLocalMeansShape(node: NonLocalMeansNode, inputs: readonly ValueShape[]): ValueShape {
  const [image, , guide = image] = inputs as [ValueShape, ValueShape, ValueShape?];
  if (!inputs.every((input) => input.channels === image.channels && sameScale(input, image)))
    throw invalid(node, 'the inputs differ in shape');
  const [own = 0] = node.weights;
  if (own < 1) throw invalid(node, 'a pixel has no weight in its own mean');
  checkProduct(node, node.patch ** 2 * (guide.high - guide.low) ** 2 * largestInverse);
  const largest = Math.max(...node.weights);
  checkProduct(node, node.search ** 2 * largest * (2 * node.gain * magnitude(image) + 1));
  if (node.gain * magnitude(image) >= 2 ** 31) throw invalid(node, 'a mean could leave 2^31');
  return { ...image, low: image.low * node.gain, high: image.high * node.gain };
}

function globalPoolShape(node: GlobalPoolNode, input: ValueShape): ValueShape {
  if (node.kind === 'max') {
    if (node.gain !== 1) throw invalid(node, 'the largest value has a gain');
    return { ...input, scale: [0, 0] };
  }
  // So a mean stays below 2^31 too.
  checkProduct(node, (2 * node.gain * magnitude(input) + 1) * limits.mapElements);
  return { ...input, scale: [0, 0], low: input.low * node.gain, high: input.high * node.gain };
}

function notOnePixel(node: PlanNode, input: ValueShape): ValueShape {
  if (isScale(input, 0)) throw invalid(node, 'one pixel does not change its size');
  return input;
}

type Scale = ValueShape['scale'];

const isScale = ({ scale }: Pick<ValueShape, 'scale'>, both: number): boolean =>
  scale.every((one) => one === both);

const sameScale = (a: ValueShape, b: ValueShape): boolean =>
  a.scale[0] === b.scale[0] && a.scale[1] === b.scale[1];

const scaledBy = ({ scale }: ValueShape, [rows, columns]: Scale): Scale => [
  scale[0] * rows,
  scale[1] * columns,
];

/** Size relative to the image, after windows. */
function windowedScale(node: PlanNode & Windows, input: ValueShape): Scale {
  const { height, width } = windowedSize(node, 1, 1);
  if (height !== 1 || width !== 1) notOnePixel(node, input);
  return scaledBy(input, node.stride);
}

function piecewiseShape(node: PiecewiseNode, input: ValueShape): ValueShape {
  if ((node.pieces[0]?.start ?? Infinity) > input.low)
    throw invalid(node, 'no piece holds for the lowest value');
  node.pieces.forEach(({ start, square, slope, constant }, i) => {
    const next = node.pieces[i + 1]?.start ?? Math.max(input.high, start) + 1;
    if (next <= start) throw invalid(node, 'starts do not ascend');
    const u = next - 1 - start;
    checkProduct(node, (Math.abs(square) * u + Math.abs(slope)) * u + Math.abs(constant) + 2 ** node.shift);
  });
  return { ...input, ...checkRange(node) };
}

function poolShape(node: PoolNode, input: ValueShape): ValueShape {
  const [rows, columns] = node.kernel;
  const [top, left, bottom, right] = node.padding;
  if (Math.max(top, bottom) >= rows || Math.max(left, right) >= columns)
    throw invalid(node, 'a window could lie in the padding alone');
  const scale = windowedScale(node, input);
  if ((node.gain !== undefined) !== (node.kind === 'mean'))
    throw invalid(node, 'a mean has a gain, and nothing else');
  if (node.kind === 'max') return { ...input, scale };
  if (node.gain !== undefined) {
    // So a mean, over few pixels, stays far below 2^53 on the way.
    const [low, high] = [input.low * node.gain, input.high * node.gain];
    if (low < -(2 ** 31) || high >= 2 ** 31) throw invalid(node, 'a mean could leave 2^31');
    return { ...input, scale, low, high };
  }
  const taps = rows * columns;
  const [low, high] = [Math.min(0, input.low) * taps, Math.max(0, input.high) * taps];
  if (low < -(2 ** 31) || high >= 2 ** 31) throw invalid(node, 'a sum could leave 2^31');
  return { ...input, scale, low, high };
}

function checkConvolution(node: LinearNode | ConvolutionNode, input: ValueShape): void {
  if (node.inChannels !== input.channels) throw invalid(node, 'channels do not match');
}

function convolutionShape(node: ConvolutionNode, input: ValueShape): ValueShape {
  checkConvolution(node, input);
  const { inChannels, outChannels: channels, kernel } = node;
  if (node.weights.length !== channels * inChannels * kernel[0] * kernel[1] || node.bias.length !== channels)
    throw invalid(node, 'the weights do not match the channels');
  const sum = accumulatorBound(node, input);
  checkProduct(node, 2 * sum + 2 ** node.shift);
  const bound = Math.ceil(sum / 2 ** node.shift);
  if (bound >= 2 ** 31) throw invalid(node, 'a sum could leave 2^31');
  return { channels, scale: windowedScale(node, input), low: -bound, high: bound };
}

function linearShape(node: LinearNode, plan: Plan, input: ValueShape): ValueShape {
  checkConvolution(node, input);
  const half = 2 ** (parameterSet(plan.parameterSet).plainModulusBits - 1);
  if (node.accumulatorBound >= half)
    throw new DenoiseError('ACCUMULATOR_BOUND', {
      node: node.name,
      bound: node.accumulatorBound,
      most: half,
    });
  return {
    channels: node.outChannels,
    scale: windowedScale(node, input),
    low: -node.accumulatorBound,
    high: node.accumulatorBound,
  };
}

const least = (values: readonly ValueShape[]): number => Math.min(...values.map(({ low }) => low));
const most = (values: readonly ValueShape[]): number => Math.max(...values.map(({ high }) => high));
const magnitude = (value: ValueShape): number => Math.max(Math.abs(value.low), Math.abs(value.high));

function checkProduct(node: PlanNode, bound: number): void {
  if (bound >= safeProduct) throw invalid(node, 'a product could leave 2^53');
}

function checkRange<T extends PlanNode & { low: number; high: number }>(
  node: T,
): { low: number; high: number } {
  if (node.low > node.high) throw invalid(node, 'low is above high');
  return { low: node.low, high: node.high };
}

const invalid = (node: PlanNode, reason: string): DenoiseError =>
  new DenoiseError('PLAN_INVALID', { node: node.name, reason });
