import { DenoiseError } from '@cipherdose/sdk/errors';
import { accumulatorBound, type ValueRange } from '@cipherdose/sdk/image';
import { largestAccumulator } from '@cipherdose/sdk/plan';
import type { Scaling } from './fixed-point-rules.ts';
import { inputsOf, type FloatLinear, type FloatNetwork, type FloatNode } from './float-network.ts';
import type { LinearWeights } from './integer-network.ts';
import type { HiddenChain, PrivateChains } from './private-chains.ts';
import type { PrivateStatistics } from './private-statistics.ts';
import { ofChannel } from './step-rules.ts';

/** How many bits a network gets in private mode. */
export interface PrivatePrecision {
  /** Accumulators have at most this many, sign included. */
  readonly accumulatorBits: number;
  /** Of the activations between two layers. */
  readonly clampBits: number;
  /** k: one unit of the last layer's result is 2^-k HU. */
  readonly outputShift: number;
}

/** Integers of one layer: requantisation is a shift, because every output channel has a unit of its own. */
export interface PrivateRule {
  readonly layer: LinearWeights;
  readonly shift: number;
  /** Range of the result, and the real value of its unit in each channel. */
  readonly result: Scaling;
  /** Names of the nodes that are done with it. */
  readonly nodes: readonly string[];
}

/** Shift and units of one layer, before its weights are rounded. */
interface Choice {
  readonly channels: readonly RealChannel[];
  readonly shift: number;
  /** The largest |accumulator|. */
  readonly limit: number;
  readonly units: number[];
  readonly result: Scaling;
}

/** Mean square error of each channel of a value that rounding is expected to make, in real units. */
type Errors = ArrayLike<number>;

const largestWeight = 32767;
const largestBias = 2 ** 30;
const largestShift = 16;
const mostClampBits = 12;
/** Wider than what was seen in calibration, for images unlike those. */
const hiddenHeadroom = 1.25;
const lastHeadroom = 2;
/** A channel's unit is at least this part of the largest one: a channel that was quiet may not stay so. */
const quietest = 1 / 16;
/** Step by which a unit is coarsened until its channel is proved. */
const coarsen = 1.0002;

/**
 * Chooses units, shifts and weights of every linear layer for private mode.
 *
 * ReLU commutes with scales above 0, so a hidden channel may have any unit: the next layer's weights take it in. Its
 * unit is the one for which what was seen in calibration is 2^b - 1, or a coarser one where the bound on accumulators
 * needs it. The accumulator's unit is the result's divided by 2^s: dividing by 2^s is all that is left to do. s is the
 * one for which rounding weights and rounding results together are expected to cost least.
 */
export class PrivateRules {
  readonly #network: FloatNetwork;
  readonly #chains: PrivateChains;
  readonly #statistics: PrivateStatistics;
  readonly #precision: PrivatePrecision;
  #firstInput: Scaling | undefined;
  #errors: Errors = [0];
  #expected = 0;

  constructor(
    network: FloatNetwork,
    chains: PrivateChains,
    statistics: PrivateStatistics,
    precision: PrivatePrecision,
  ) {
    this.#network = network;
    this.#chains = chains;
    this.#statistics = statistics;
    this.#precision = precision;
  }

  /** RMS error of the output that rounding is expected to make, HU, once all layers are there. */
  get expectedRmsHu(): number {
    return Math.sqrt(this.#expected);
  }

  /** What goes into the first layer, once it was there. */
  get firstInput(): Scaling | undefined {
    return this.#firstInput;
  }

  /**
   * Called for the linear layers in order.
   * @throws ACCUMULATOR_BOUND if the layer does not fit into the bits
   */
  rule(node: FloatLinear, input: Scaling): PrivateRule {
    this.#firstInput ??= input;
    const chain = this.#chains.hidden.get(node.name);
    const choice = this.#choose(node, input);
    if (!choice) throw noRoom(node, this.#precision);
    const { channels, shift, limit, units } = choice;
    if (chain) {
      const layer = integerLayer(node, channels, units, input, shift, limit);
      const result = { ...choice.result, scales: Float64Array.from(units) };
      return { layer, shift, result, nodes: chain.nodes };
    }
    const layer = exactLayer(node, channels, units, input, shift, limit);
    if (layer) return { layer, shift, result: choice.result, nodes: [] };
    // Rounding the weights took the room: one bit less of them.
    const coarser = this.#chooseLast(node, input, shift - 1);
    const second = coarser && exactLayer(node, channels, units, input, coarser.shift, coarser.limit);
    if (!second) throw noRoom(node, this.#precision);
    return { layer: second, shift: coarser.shift, result: coarser.result, nodes: [] };
  }

  /**
   * Goes through all layers without making integers of their weights.
   * @returns {@link expectedRmsHu}; undefined if the network does not fit into the bits
   */
  guess(firstInput: Scaling): number | undefined {
    let input = firstInput;
    for (const node of [
      ...[...this.#chains.hidden.values()].map(({ linear }) => linear),
      this.#chains.last,
    ]) {
      const choice = this.#choose(node, input);
      if (!choice) return undefined;
      input = choice.result;
    }
    return this.expectedRmsHu;
  }

  #choose(node: FloatLinear, input: Scaling): Choice | undefined {
    const chain = this.#chains.hidden.get(node.name);
    return chain ? this.#chooseHidden(chain, input) : this.#chooseLast(node, input, largestShift);
  }

  #chooseHidden(chain: HiddenChain, input: Scaling): Choice | undefined {
    const { linear, next, multipliers } = chain;
    const { accumulatorBits, clampBits } = this.#precision;
    const most = 2 ** clampBits - 1;
    const least = this.#leastUnits(chain, most);
    const channels = realChannels(linear, input, multipliers);
    const needs = channels.map((channel) => needOf(channel, input));
    const energy = this.#energy(linear, input);
    const importance = inputImportance(next);
    let best: { shift: number; limit: number; units: number[]; cost: number } | undefined;
    for (let shift = 1; shift <= Math.min(largestShift, accumulatorBits - clampBits - 2); shift++) {
      const limit = largestAccumulator(accumulatorBits, shift, clampBits);
      if (limit === undefined) continue;
      const units = needs.map((need, c) => Math.max(least[c] as number, leastUnit(need, shift, limit)));
      const cost = units.reduce(
        (sum, unit, c) => sum + (importance[c] as number) * roundingError(unit, shift, energy),
        0,
      );
      if (!best || cost < best.cost) best = { shift, limit, units, cost };
    }
    if (!best) return undefined;
    const { shift, limit, units } = best;
    const carried = carriedErrors(linear, this.#errors);
    this.#errors = units.map(
      (unit, c) =>
        (multipliers[c] as number) ** 2 * (carried[c] as number) + roundingError(unit, shift, energy),
    );
    return {
      channels,
      shift,
      limit,
      units,
      result: { scales: Float64Array.from(units), low: 0, high: most },
    };
  }

  /** With the largest shift that fits, `mostShift` at most. */
  #chooseLast(node: FloatLinear, input: Scaling, mostShift: number): Choice | undefined {
    const { accumulatorBits, outputShift } = this.#precision;
    const gain = gainAfter(this.#network, node);
    if (!(gain > 0))
      throw new DenoiseError('PLAN_NOT_PRIVATE', {
        node: node.name,
        op: 'Conv',
        reason: 'what follows the last layer has to be scales, clips, shuffles and sums',
      });
    const unit = 2 ** -outputShift / gain;
    const clampBits = Math.ceil(Math.log2(this.#lastReach(node) / unit + 1)) + 1;
    if (clampBits > mostClampBits) return undefined;
    const channels = realChannels(node, input, [1]);
    const needs = channels.map((channel) => needOf(channel, input));
    for (let shift = Math.min(mostShift, accumulatorBits - 2); shift >= 1; shift--) {
      const limit = largestAccumulator(accumulatorBits, shift, 'last');
      if (limit === undefined || needs.some((need) => leastUnit(need, shift, limit) > unit)) continue;
      // Rounding the result is not counted: the real output is rounded to whole HU as well.
      const rounding = roundingError(unit, shift, this.#energy(node, input)) - unit ** 2 / 12;
      const errors = carriedErrors(node, this.#errors).map((error) => error + rounding);
      this.#expected = gain ** 2 * (errors.reduce((sum, error) => sum + error, 0) / errors.length);
      const half = 2 ** (clampBits - 1);
      const result = { scales: Float64Array.of(unit), low: -half, high: half - 1 };
      return { channels, shift, limit, units: channels.map(() => unit), result };
    }
    return undefined;
  }

  /** Units for which the range that was seen, or the clip where that is narrower, is the largest integer. */
  #leastUnits({ linear, clips }: HiddenChain, most: number): number[] {
    const extents = (this.#statistics.extents.get(linear.name) ?? []).map((extent, channel) =>
      Math.min(extent * hiddenHeadroom, clips[channel] as number),
    );
    const floor = Math.max(...extents) * quietest;
    return extents.map((extent) => (Math.max(extent, floor) || 1) / most);
  }

  /** Sum of the mean squares of all inputs of one output, in units of the integers. */
  #energy(node: FloatLinear, input: Scaling): number {
    const squares = this.#statistics.meanSquares.get(node.name) ?? new Float64Array(node.inChannels);
    const taps = node.kernel[0] * node.kernel[1];
    return squares.reduce(
      (sum, square, channel) => sum + (taps * square) / ofChannel(input.scales, channel) ** 2,
      0,
    );
  }

  /** How far the result of the last layer has to go: twice what was seen, or the clip behind it. */
  #lastReach(node: FloatLinear): number {
    const seen = Math.max(...(this.#statistics.extents.get(node.name) ?? [0])) * lastHeadroom;
    return Math.min(seen, clipAfter(this.#network, node));
  }
}

/**
 * How much one unit of a value changes the output, HU.
 * @returns NaN if that is not the same everywhere
 */
function gainAfter(network: FloatNetwork, start: FloatNode): number {
  const gains = new Map([[network.output, 1]]);
  for (const node of network.nodes.slice(network.nodes.indexOf(start) + 1).toReversed()) {
    const own = gains.get(node.name);
    if (own === undefined) continue;
    inputsOf(node).forEach((input, i) => {
      gains.set(input, Math.max(gains.get(input) ?? 0, own * slopeOf(node, i)));
    });
  }
  return gains.get(start.name) ?? Number.NaN;
}

function slopeOf(node: FloatNode, input: number): number {
  switch (node.op) {
    case 'add':
      return Math.abs(node.multipliers[input] ?? 0);
    case 'activation':
      return Math.max(...[...node.positive, ...node.negative].map(Math.abs));
    case 'polynomial':
      return node.square === 0 && typeof node.slope === 'number' ? Math.abs(node.slope) : Number.NaN;
    case 'function':
    case 'product':
    case 'linear':
    case 'convolution':
    case 'pool':
    case 'globalPool':
      return Number.NaN;
    case 'broadcast':
      return input === 0 ? 1 : 0;
    case 'nonLocalMeans':
      // A guide only says which pixels are alike.
      return [1, Number.NaN, 0][input] as number;
    default:
      return 1;
  }
}

/** The narrowest clip that a value meets before anything but scales and shuffles, in its own units. */
function clipAfter(network: FloatNetwork, start: FloatNode): number {
  let scale = 1;
  for (let node: FloatNode | undefined = start; node;) {
    const users: readonly FloatNode[] = network.nodes.filter((user) =>
      inputsOf(user).includes(node?.name ?? ''),
    );
    const [user] = users;
    if (users.length !== 1 || !user) return Infinity;
    if (user.op === 'activation') {
      const multiplier = user.positive[0] as number;
      if ([...user.positive, ...user.negative].some((other) => other !== multiplier || other <= 0))
        return Infinity;
      scale *= multiplier;
      if (Number.isFinite(user.low) || Number.isFinite(user.high))
        return Math.max(-user.low, user.high) / scale;
    } else if (user.op !== 'shuffle') return Infinity;
    node = user;
  }
  return Infinity;
}

/** Weights and bias of one output channel: real value of the result for one unit of each input. */
interface RealChannel {
  readonly weights: Float64Array;
  readonly bias: number;
}

function realChannels(node: FloatLinear, input: Scaling, multipliers: readonly number[]): RealChannel[] {
  const taps = node.weights.length / node.outChannels;
  const tapsOfInput = taps / node.inChannels;
  return Array.from({ length: node.outChannels }, (_, channel) => {
    const multiplier = ofChannel(multipliers, channel);
    return {
      weights: Float64Array.from(
        node.weights.subarray(channel * taps, (channel + 1) * taps),
        (weight, i) => weight * multiplier * ofChannel(input.scales, Math.floor(i / tapsOfInput)),
      ),
      bias: (node.bias[channel] as number) * multiplier,
    };
  });
}

/** What decides how fine the unit of a channel can be: its largest accumulator, weight and bias. */
interface ChannelNeed {
  readonly bound: number;
  readonly weight: number;
  readonly bias: number;
}

const needOf = ({ weights, bias }: RealChannel, range: ValueRange): ChannelNeed => ({
  bound: accumulatorBound({ weights, bias: [bias] }, range),
  weight: weights.reduce((most, weight) => Math.max(most, Math.abs(weight)), 0),
  bias: Math.abs(bias),
});

/** The finest unit at which real weights fit; rounding them may need a little more. */
const leastUnit = ({ bound, weight, bias }: ChannelNeed, shift: number, limit: number): number =>
  Math.max(bound / limit, weight / largestWeight, bias / largestBias) * 2 ** shift;

function integerChannel(
  { weights, bias }: RealChannel,
  unit: number,
  shift: number,
): RealChannel & {
  readonly integers: Int16Array;
} {
  const scale = 2 ** shift / unit;
  const integers = Int16Array.from(weights, (weight) => Math.round(weight * scale));
  return { weights, integers, bias: Math.round(bias * scale) };
}

/** Coarsens `units` where the rounded weights need it. */
function integerLayer(
  node: FloatLinear,
  channels: readonly RealChannel[],
  units: number[],
  range: ValueRange,
  shift: number,
  limit: number,
): LinearWeights {
  const taps = node.weights.length / node.outChannels;
  const layer = { weights: new Int16Array(node.weights.length), bias: new Int32Array(node.outChannels) };
  channels.forEach((channel, c) => {
    for (; ; units[c] = (units[c] as number) * coarsen) {
      const { integers, bias } = integerChannel(channel, units[c] as number, shift);
      if (accumulatorBound({ weights: integers, bias: [bias] }, range) > limit) continue;
      layer.weights.set(integers, c * taps);
      layer.bias[c] = bias;
      return;
    }
  });
  return layer;
}

/** The same with units that may not change. @returns undefined if a channel does not fit */
function exactLayer(
  node: FloatLinear,
  channels: readonly RealChannel[],
  units: readonly number[],
  range: ValueRange,
  shift: number,
  limit: number,
): LinearWeights | undefined {
  const tried = [...units];
  const layer = integerLayer(node, channels, tried, range, shift, limit);
  return tried.every((unit, c) => unit === units[c]) ? layer : undefined;
}

/** Mean square error of one channel: rounding its result, and rounding each weight by up to half a unit of 2^-s. */
const roundingError = (unit: number, shift: number, energy: number): number =>
  (unit ** 2 / 12) * (1 + energy / 4 ** shift);

/** Errors of a layer's inputs, as they come out of it. */
function carriedErrors(node: FloatLinear, errors: Errors): Float64Array {
  const taps = node.kernel[0] * node.kernel[1];
  const carried = new Float64Array(node.outChannels);
  node.weights.forEach((weight, i) => {
    const channel = Math.floor(i / taps) % node.inChannels;
    const out = Math.floor(i / taps / node.inChannels);
    carried[out] = (carried[out] as number) + weight ** 2 * ofChannel(errors, channel);
  });
  return carried;
}

/** How much the error of each input channel of a layer counts in its results. */
function inputImportance(node: FloatLinear): Float64Array {
  const taps = node.kernel[0] * node.kernel[1];
  const sums = new Float64Array(node.inChannels);
  node.weights.forEach((weight, i) => {
    const channel = Math.floor(i / taps) % node.inChannels;
    sums[channel] = (sums[channel] as number) + weight ** 2;
  });
  return sums;
}

const noRoom = (node: FloatLinear, { accumulatorBits }: PrivatePrecision): DenoiseError =>
  new DenoiseError('ACCUMULATOR_BOUND', { node: node.name, most: 2 ** (accumulatorBits - 1) });
