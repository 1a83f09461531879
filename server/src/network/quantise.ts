import { DenoiseError } from '@cipherdose/sdk/errors';
import {
  accumulatorBound,
  accumulatorRanges,
  blockSides,
  broadcast,
  concatenate,
  convolve as convolveInDoubles,
  globalPool,
  guideRange,
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
  type NumberMap,
} from '@cipherdose/sdk/image';
import { parameterSet, type ParameterSet, type PlanNode } from '@cipherdose/sdk/protocol';
import { proveAccumulators, proveNoise } from './bounds.ts';
import { convolve } from './clear-convolution.ts';
import { channelExtents, clipImage } from './calibration-maps.ts';
import { chooseScaling, outputScaling, type Clip, type Extent, type Scaling } from './fixed-point-rules.ts';
import { coefficientAt } from './float-evaluator.ts';
import { numbersOf } from './float-map.ts';
import {
  channelsOf,
  inputsOf,
  lastUses,
  type FloatActivation,
  type FloatAdd,
  type FloatBroadcast,
  type FloatConcat,
  type FloatConvolution,
  type FloatFunction,
  type FloatGlobalPool,
  type FloatLinear,
  type FloatNetwork,
  type FloatNode,
  type FloatNonLocalMeans,
  type FloatPad,
  type FloatPolynomial,
  type FloatPool,
  type FloatProduct,
  type FloatSelect,
  type FloatShuffle,
} from './float-network.ts';
import type { LinearWeights } from './integer-network.ts';
import { KeptMeans } from './kept-means.ts';
import { piecewiseRule } from './piecewise-rule.ts';
import type { PrivateRule, PrivateRules } from './private-rules.ts';
import { clearLimits, encryptedLimits, quantiseWeights } from './quantise-weights.ts';
import {
  addRule,
  nonLocalMeansRule,
  ofChannel,
  polynomialRule,
  productRule,
  requantiseRule,
  singleScale,
} from './step-rules.ts';
import { isPerChannel, isScaling, outputGains, valueForms, type Form } from './value-forms.ts';

/** Bits of the values that a polynomial takes, sign apart. */
const wideBits = 17;
/** Bits of the values that a convolution of the client takes, sign apart. */
const fineBits = 16;
/** Bits of integers that may stay what they are, where finer ones would do no good; 0: none. */
const exactBits = (form: Form): number => (form === 'wide' ? wideBits : form === 'fine' ? fineBits : 0);
/** Of a mean of pixels: its integers for one of theirs. */
const meanGain = 64;
/** Sums of such a convolution are divided until they are below. */
const mostSum = 2 ** 31 - 1;

export interface QuantiseOptions {
  readonly parameterSet: string;
  readonly input: { readonly lowHu: number; readonly highHu: number };
  /** Real slices: they decide the range of every value, and nothing else. At least one. */
  readonly calibration: readonly HuImage[];
  /** Default: {@link defaultPrecision}. */
  readonly precision?: Precision | undefined;
  /** Integers of the linear layers for private mode. */
  readonly private?: PrivateRules | undefined;
  /** Of other attempts at the same network. */
  readonly means?: KeptMeans | undefined;
}

/** How many integers a value gets, and over which range. */
export interface Precision {
  /** Bits of the values that a linear layer takes, sign apart. */
  readonly activationBits: number;
  /** Part of the magnitudes seen in calibration that the range holds: 1 for all, 0.9999 to cut off rare ones. */
  readonly keep: number;
  /** How much wider than what was kept the range is, for images unlike those of the calibration. */
  readonly headroom: number;
}

/** Range of all that was seen, twice as wide. */
export const defaultPrecision: Precision = Object.freeze({ activationBits: 12, keep: 1, headroom: 2 });

/** What import proved of one linear layer. */
export interface LayerProof {
  readonly layer: number;
  /** Every |accumulator| is at most this, which is below t/2. */
  readonly accumulatorBound: number;
  /** Room between the noise of a reply and the noise at which decryption may fail, bits. */
  readonly noiseMarginBits: number;
  /** Bits of the largest weight, sign apart. */
  readonly weightBits: number;
}

export interface QuantisedNetwork {
  readonly nodes: readonly PlanNode[];
  readonly output: string;
  readonly layers: readonly LinearWeights[];
  readonly proofs: readonly LayerProof[];
  /** Of the network for each calibration image, whole HU. */
  readonly outputs: readonly FeatureMap[];
}

/** A value on its way: its name in the plan, what its integers mean, and what they are on each calibration image. */
interface IntegerValue extends Scaling {
  readonly name: string;
  readonly channels: number;
  /** Accumulators and other values that no layer can take before they are requantised. */
  readonly raw: boolean;
  readonly maps: readonly FeatureMap[];
}

const unlimited: Clip = { low: -Infinity, high: Infinity };
const identity = { positive: [1], negative: [1], ...unlimited };

/**
 * Turns a network of real weights into integers, node by node: the range of each value is what the integer network
 * so far makes of the calibration images. Deterministic.
 * @throws CALIBRATION_INVALID, ACCUMULATOR_BOUND, NOISE_BOUND, MODEL_INVALID
 */
export function quantise(network: FloatNetwork, options: QuantiseOptions): QuantisedNetwork {
  if (options.calibration.length === 0) throw new DenoiseError('CALIBRATION_INVALID', { images: 0 });
  const quantiser = new Quantiser(network, options);
  network.nodes.forEach((node, i) => quantiser.add(node, i));
  return quantiser.finish();
}

class Quantiser {
  readonly #network: FloatNetwork;
  readonly #input: QuantiseOptions['input'];
  readonly #images: readonly HuImage[];
  readonly #set: ParameterSet;
  readonly #precision: Precision;
  readonly #private: PrivateRules | undefined;
  readonly #means: KeptMeans;
  /** Values of nodes that private mode does together with a linear layer before them. */
  readonly #ahead = new Map<string, IntegerValue>();
  readonly #lastUses: ReadonlyMap<string, number>;
  readonly #forms: ReadonlyMap<string, Form>;
  readonly #gains: ReadonlyMap<string, number>;
  readonly #channels: ReadonlyMap<string, number>;
  /** By name in the float network. */
  readonly #values = new Map<string, IntegerValue>();
  readonly #settled = new Map<string, IntegerValue>();
  readonly #nodes: PlanNode[] = [];
  readonly #layers: LinearWeights[] = [];
  readonly #proofs: LayerProof[] = [];

  constructor(network: FloatNetwork, options: QuantiseOptions) {
    this.#network = network;
    this.#input = options.input;
    this.#images = options.calibration;
    this.#set = parameterSet(options.parameterSet);
    this.#precision = options.precision ?? defaultPrecision;
    this.#private = options.private;
    this.#means = options.means ?? new KeptMeans();
    this.#lastUses = lastUses(network);
    this.#forms = valueForms(network);
    this.#gains = outputGains(network);
    this.#channels = channelsOf(network);
    const { lowHu, highHu } = options.input;
    const maps = options.calibration.map((image) => clipImage(image, lowHu, highHu));
    const scales = Float64Array.of(1);
    this.#values.set('image', {
      name: 'image',
      channels: 1,
      raw: false,
      scales,
      low: lowHu,
      high: highHu,
      maps,
    });
  }

  add(node: FloatNode, index: number): void {
    this.#values.set(node.name, this.#quantised(node));
    // Maps are large: what no later node takes is let go.
    for (const name of inputsOf(node))
      if (this.#lastUses.get(name) === index) {
        this.#values.delete(name);
        this.#settled.delete(name);
      }
  }

  finish(): QuantisedNetwork {
    const output = this.#inHu(this.#value(this.#network.output));
    const { name, maps: outputs } = output;
    return { nodes: this.#nodes, output: name, layers: this.#layers, proofs: this.#proofs, outputs };
  }

  #quantised(node: FloatNode): IntegerValue {
    const ahead = this.#ahead.get(node.name);
    if (ahead) return ahead;
    switch (node.op) {
      case 'linear':
        return this.#linear(node);
      case 'convolution':
        return this.#convolved(node);
      case 'activation':
        return isScaling(node) ? this.#scaled(node) : this.#activation(node);
      case 'polynomial':
        return this.#polynomial(node);
      case 'function':
        return this.#function(node);
      case 'add':
        return this.#sum(node);
      case 'product':
        return this.#product(node);
      case 'concat':
        return this.#concatenated(node);
      case 'select':
        return this.#selected(node);
      case 'pool':
        return this.#pooled(node);
      case 'globalPool':
        return this.#globallyPooled(node);
      case 'broadcast':
        return this.#broadcast(node);
      case 'pad':
        return this.#padded(node);
      case 'nonLocalMeans':
        return this.#alikeMeans(node);
      default:
        return this.#shuffled(node);
    }
  }

  #linear(node: FloatLinear): IntegerValue {
    const input = this.#settle(node.input);
    if (this.#private) return this.#privateLayer(node, input, this.#private.rule(node, input));
    const { layer, scales } = quantiseWeights(node, input.scales, input, encryptedLimits(this.#set));
    const { bound, maps } = this.#emitLinear(node, input, layer);
    const { name, outChannels } = node;
    return { name, channels: outChannels, raw: true, scales, low: -bound, high: bound, maps };
  }

  /** A layer whose integers stand in the plan. */
  #convolved(node: FloatConvolution): IntegerValue {
    const input = this.#settle(node.input);
    const { layer, scales } = quantiseWeights(node, input.scales, input, clearLimits);
    const sum = accumulatorBound(layer, input);
    const shift = Math.max(0, Math.ceil(Math.log2(sum / mostSum)));
    const { op, name, outChannels } = node;
    const rule = { ...shapeOf(node), weights: [...layer.weights], bias: [...layer.bias], shift };
    this.#nodes.push({ op, name, input: input.name, ...rule });
    const maps = input.maps.map((map) => convolveInDoubles(map, rule, rule));
    const bound = Math.ceil(sum / 2 ** shift);
    const units = scales.map((scale) => scale * 2 ** shift);
    const least = Math.min(
      ...accumulatorRanges(layer, input).map(({ low }, c) => low * ofChannel(scales, c)),
    );
    const range = { scales: units, low: -bound, high: bound };
    const value: IntegerValue = { name, channels: outChannels, raw: true, ...range, maps };
    if (!(least > 0) || isPerChannel(this.#form(name))) return value;
    // Functions like 1 / sqrt(x) have to know that it is above 0.
    return this.#requantised(value, identity, `${name}-fixed`, (extents) =>
      this.#scaling(name, extents, { ...unlimited, low: least }),
    );
  }

  /** A linear layer, and what two parties do with its accumulators. */
  #privateLayer(node: FloatLinear, input: IntegerValue, rule: PrivateRule): IntegerValue {
    const { maps } = this.#emitLinear(node, input, rule.layer);
    const { low, high } = rule.result;
    const name = rule.nodes.at(-1) ?? `${node.name}-fixed`;
    const fixed = { positive: [1], negative: [low < 0 ? 1 : 0], shift: rule.shift, low, high };
    this.#nodes.push({ op: 'requantise', name, input: node.name, ...fixed });
    const value: IntegerValue = {
      ...rule.result,
      name,
      channels: node.outChannels,
      raw: false,
      maps: maps.map((map) => requantise(map, fixed)),
    };
    for (const done of rule.nodes) this.#ahead.set(done, value);
    return value;
  }

  #emitLinear(
    node: FloatLinear,
    input: IntegerValue,
    layer: LinearWeights,
  ): { readonly bound: number; readonly maps: readonly FeatureMap[] } {
    const bound = proveAccumulators(layer, input, this.#set);
    const number = this.#layers.push(layer) - 1;
    const largest = layer.weights.reduce((most, weight) => Math.max(most, Math.abs(weight)), 0);
    this.#proofs.push({
      layer: number,
      accumulatorBound: bound,
      noiseMarginBits: proveNoise(layer, this.#set),
      weightBits: Math.ceil(Math.log2(largest + 1)),
    });
    const shape = shapeOf(node);
    this.#nodes.push({
      op: 'linear',
      name: node.name,
      input: input.name,
      layer: number,
      ...shape,
      accumulatorBound: bound,
    });
    return { bound, maps: input.maps.map((map) => convolve(map, shape, layer)) };
  }

  /** The same integers, each unit worth more or less. */
  #scaled(node: FloatActivation): IntegerValue {
    const input = this.#value(node.input);
    const multiplier = node.positive[0] as number;
    return { ...input, scales: input.scales.map((scale) => scale * multiplier) };
  }

  #activation(node: FloatActivation): IntegerValue {
    if (clipsAlone(node)) {
      // A layer of private mode has few bits for what it takes; one bit more is still better than other units.
      const few = this.#private ? this.#precision.activationBits + 1 : 0;
      const bits = Math.max(few, exactBits(this.#form(node.name)));
      if (bits > 0) return this.#clipped(node, this.#settle(node.input), bits);
    }
    return this.#activated(node, this.#value(node.input));
  }

  #activated(node: FloatActivation, input: IntegerValue): IntegerValue {
    return this.#requantised(input, node, node.name, (extents) =>
      node.name === this.#network.output ? this.#outputInHu(node) : this.#scaling(node.name, extents, node),
    );
  }

  /** The same integers within a narrower range, if they have no more bits than that. */
  #clipped(node: FloatActivation, input: IntegerValue, bits: number): IntegerValue {
    const multiplier = node.positive[0] as number;
    const scales = input.scales.map((scale) => scale * multiplier);
    const unit = scales[0] as number;
    const low = Math.max(input.low, Math.round(node.low / unit));
    const high = Math.min(input.high, Math.round(node.high / unit));
    if (scales.length > 1 || Math.max(-low, high) >= 2 ** bits || node.name === this.#network.output)
      return this.#activated(node, input);
    const rule = { positive: [1], negative: [1], shift: 0, low, high };
    this.#nodes.push({ op: 'requantise', name: node.name, input: input.name, ...rule });
    const maps = input.maps.map((map) => requantise(map, rule));
    return { ...input, name: node.name, scales, low, high, maps };
  }

  #polynomial(node: FloatPolynomial): IntegerValue {
    const input = this.#settle(node.input);
    const unit = singleScale(input);
    const { square, slope, constant, name } = node;
    const lists = [square, slope, constant].some((coefficient) => typeof coefficient !== 'number');
    const real = (x: number, channel: number): number => {
      const [a, b] = [coefficientAt(square, channel), coefficientAt(slope, channel)];
      return (a * x * unit + b) * x * unit + coefficientAt(constant, channel);
    };
    const target =
      lists && name !== this.#network.output
        ? this.#scaling(name, this.#extents(input.maps, real), unlimited)
        : this.#target(
            name,
            input.maps.map((map) => {
              const plane = map.height * map.width;
              return numbersOf(map.data.length, (i) => real(map.data[i] as number, Math.floor(i / plane)));
            }),
          );
    const rule = polynomialRule(node, input, target);
    this.#nodes.push({ op: 'polynomial', name, input: input.name, ...rule });
    const maps = input.maps.map((map) => polynomial(map, rule));
    return { ...target, name, channels: input.channels, raw: false, maps };
  }

  #function({ name, input: from, apply }: FloatFunction): IntegerValue {
    const input = this.#settle(from);
    const unit = singleScale(input);
    const clip = rangeOf(apply, input, unit);
    if (!Number.isFinite(clip.low) || !Number.isFinite(clip.high))
      throw new DenoiseError('MODEL_INVALID', { value: name, reason: 'a function is not finite everywhere' });
    const target = this.#target(
      name,
      input.maps.map(({ data }) => numbersOf(data.length, (i) => apply((data[i] as number) * unit))),
      clip,
    );
    const rule = piecewiseRule(apply, input, target);
    this.#nodes.push({ op: 'piecewise', name, input: input.name, ...rule });
    const maps = input.maps.map((map) => piecewise(map, rule));
    return { ...target, name, channels: input.channels, raw: false, maps };
  }

  /** Accumulators stay what they are if all inputs are; otherwise all are brought to few bits first. */
  #concatenated({ name, inputs: names }: FloatConcat): IntegerValue {
    const raw = names.every((input) => this.#value(input).raw);
    const inputs = names.map((input) => (raw ? this.#value(input) : this.#settle(input)));
    const shared = new Set(inputs.flatMap(({ scales }) => [...scales])).size === 1;
    const scales = shared
      ? Float64Array.of((inputs[0] as IntegerValue).scales[0] as number)
      : Float64Array.from(
          inputs.flatMap(({ channels, scales: own }) =>
            Array.from({ length: channels }, (_, channel) => ofChannel(own, channel)),
          ),
        );
    const mixed = !raw && scales.length > 1 && !isPerChannel(this.#form(name));
    const value: IntegerValue = {
      name: mixed ? `${name}-parts` : name,
      channels: inputs.reduce((sum, { channels }) => sum + channels, 0),
      raw,
      scales,
      low: Math.min(...inputs.map(({ low }) => low)),
      high: Math.max(...inputs.map(({ high }) => high)),
      maps: this.#images.map((_, image) => concatenate(inputs.map(({ maps }) => maps[image] as FeatureMap))),
    };
    this.#nodes.push({ op: 'concat', name: value.name, inputs: inputs.map((input) => input.name) });
    if (!mixed) return value;
    return this.#requantised(value, identity, name, (extents) => this.#scaling(name, extents, unlimited));
  }

  #selected({ name, input: from, channels }: FloatSelect): IntegerValue {
    const input = this.#value(from);
    this.#nodes.push({ op: 'select', name, input: input.name, channels: [...channels] });
    const scales =
      input.scales.length === 1
        ? input.scales
        : Float64Array.from(channels, (c) => ofChannel(input.scales, c));
    const maps = input.maps.map((map) => selectChannels(map, channels));
    return { ...input, name, channels: channels.length, scales, maps };
  }

  #pooled({ name, input: from, kind, kernel, stride, padding }: FloatPool): IntegerValue {
    const input = kind === 'max' ? this.#value(from) : this.#settle(from);
    const rule = {
      kind,
      ...(kind === 'mean' ? { gain: meanGain } : {}),
      kernel: [...kernel] as Pair,
      stride: [...stride] as Pair,
      padding: [...padding] as Four,
    };
    this.#nodes.push({ op: 'pool', name, input: input.name, ...rule });
    const maps = input.maps.map((map) => pool(map, rule));
    if (kind === 'max') return { ...input, name, maps };
    if (kind === 'mean') return meanOf(input, name, maps);
    const taps = kernel[0] * kernel[1];
    const [low, high] = [Math.min(0, input.low) * taps, Math.max(0, input.high) * taps];
    return { ...input, name, raw: true, low, high, maps };
  }

  #globallyPooled({ name, input: from, kind }: FloatGlobalPool): IntegerValue {
    const input = kind === 'max' ? this.#value(from) : this.#settle(from);
    const rule = { kind, gain: kind === 'max' ? 1 : meanGain };
    this.#nodes.push({ op: 'globalPool', name, input: input.name, ...rule });
    const maps = input.maps.map((map) => globalPool(map, rule));
    return kind === 'max' ? { ...input, name, maps } : meanOf(input, name, maps);
  }

  #broadcast({ name, inputs }: FloatBroadcast): IntegerValue {
    const [pixel, like] = [this.#value(inputs[0]), this.#value(inputs[1])];
    this.#nodes.push({ op: 'broadcast', name, inputs: [pixel.name, like.name] });
    const maps = pixel.maps.map((map, image) => {
      const { height, width } = like.maps[image] as FeatureMap;
      return broadcast(map, height, width);
    });
    return { ...pixel, name, maps };
  }

  #padded({ name, input: from, fill, padding }: FloatPad): IntegerValue {
    const input = this.#value(from);
    const rule = { fill, padding: [...padding] as Four };
    this.#nodes.push({ op: 'pad', name, input: input.name, ...rule });
    const range = fill === 'zero' ? { low: Math.min(0, input.low), high: Math.max(0, input.high) } : {};
    return { ...input, ...range, name, maps: input.maps.map((map) => padMap(map, rule)) };
  }

  #alikeMeans(node: FloatNonLocalMeans): IntegerValue {
    const [image, deviation] = [this.#settle(node.inputs[0]), this.#settle(node.inputs[1])];
    const guide = this.#guide(node, this.#settle(node.inputs[2] ?? node.inputs[0]));
    const rule = nonLocalMeansRule(node, guide, deviation);
    const { op, name } = node;
    const own = guide.name === image.name;
    this.#nodes.push({
      op,
      name,
      inputs: [image.name, deviation.name, ...(own ? [] : [guide.name])],
      ...rule,
    });
    const maps = image.maps.map((map, i) =>
      this.#means.of(`${name} ${i}`, {
        image: map,
        deviation: deviation.maps[i] as FeatureMap,
        guide: guide.maps[i] as FeatureMap,
        rule,
      }),
    );
    const scales = image.scales.map((scale) => scale / rule.gain);
    return { ...image, name, scales, low: image.low * rule.gain, high: image.high * rule.gain, maps };
  }

  /** What patches are compared in, in units so large that their distances are exact. */
  #guide({ name, patch }: FloatNonLocalMeans, value: IntegerValue): IntegerValue {
    const coarser = (value.high - value.low) / guideRange(patch);
    if (coarser <= 1) return value;
    const unit = singleScale(value) * coarser;
    return this.#requantised(value, identity, `${name}-guide`, () => ({
      scales: Float64Array.of(unit),
      low: Math.ceil(value.low / coarser),
      high: Math.floor(value.high / coarser),
    }));
  }

  #sum(node: FloatAdd): IntegerValue {
    const [a, b] = [this.#settle(node.inputs[0]), this.#settle(node.inputs[1])];
    const [first, second] = [singleScale(a) * node.multipliers[0], singleScale(b) * node.multipliers[1]];
    const sums = a.maps.map(({ data }, image) => {
      const other = (b.maps[image] as FeatureMap).data;
      return numbersOf(data.length, (i) => (data[i] as number) * first + (other[i] as number) * second);
    });
    const target = this.#target(node.name, sums);
    const rule = addRule(node.multipliers, [a, b], target);
    this.#nodes.push({ op: 'add', name: node.name, inputs: [a.name, b.name], ...rule });
    const maps = a.maps.map((map, image) => weightedSum(map, b.maps[image] as FeatureMap, rule));
    return { ...target, name: node.name, channels: a.channels, raw: false, maps };
  }

  #product({ name, inputs: [first, second] }: FloatProduct): IntegerValue {
    const [a, b] = [this.#settle(first), this.#settle(second)];
    const unit = singleScale(a) * singleScale(b);
    const pairs = a.maps.map((map, image) => [map, b.maps[image] as FeatureMap] as const);
    const products = pairs.map(([{ data }, { data: other }]) =>
      numbersOf(data.length, (i) => (data[i] as number) * (other[i] as number) * unit),
    );
    const target = this.#target(name, products);
    const rule = productRule([a, b], target);
    const [sum, difference] = rule.sums;
    const squared = (part: string, added: typeof sum): string => {
      const [input, square] = [`${name}-${part}`, `${name}-${part}-squared`];
      this.#nodes.push({ op: 'add', name: input, inputs: [a.name, b.name], ...added });
      this.#nodes.push({ op: 'polynomial', name: square, input, ...rule.square });
      return square;
    };
    const inputs: [string, string] = [squared('sum', sum), squared('difference', difference)];
    this.#nodes.push({ op: 'add', name, inputs, ...rule.product });
    const maps = pairs.map(([left, right]) => {
      const square = (added: typeof sum): FeatureMap =>
        polynomial(weightedSum(left, right, added), rule.square);
      return weightedSum(square(sum), square(difference), rule.product);
    });
    return { ...target, name, channels: a.channels, raw: false, maps };
  }

  #shuffled(node: FloatShuffle): IntegerValue {
    const input = this.#settle(node.input);
    const { op, name, factor } = node;
    this.#nodes.push({
      op,
      name,
      input: input.name,
      factor: typeof factor === 'number' ? factor : [...factor],
    });
    const maps = input.maps.map((map, image) => {
      if (op === 'unshuffle') return pixelUnshuffle(map, factor);
      const [rows, columns] = blockSides(factor);
      const [height, width] = [map.height * rows, map.width * columns];
      if (this.#network.multiple !== undefined) return pixelShuffle(map, factor, height, width);
      const size = this.#images[image] as HuImage;
      return pixelShuffle(map, factor, Math.min(size.height, height), Math.min(size.width, width));
    });
    const zero = op === 'unshuffle' ? { low: Math.min(0, input.low), high: Math.max(0, input.high) } : {};
    return { ...input, ...zero, name, channels: this.#channels.get(name) as number, maps };
  }

  /** A value in the form that all that use it can take. */
  #settle(name: string): IntegerValue {
    const value = this.#value(name);
    if (!value.raw) return value;
    const known = this.#settled.get(name);
    if (known) return known;
    const bits = exactBits(this.#form(name));
    // Sums of few small integers are exact as they are.
    const small = bits > 0 && value.scales.length === 1 && Math.max(-value.low, value.high) < 2 ** bits;
    const settled = small
      ? { ...value, raw: false }
      : this.#requantised(value, identity, `${name}-fixed`, (extents) =>
          this.#scaling(name, extents, unlimited),
        );
    this.#settled.set(name, settled);
    return settled;
  }

  #requantised(
    input: IntegerValue,
    rule: Pick<FloatActivation, 'positive' | 'negative' | 'low' | 'high'>,
    name: string,
    scaling: (extents: readonly Extent[]) => Scaling,
  ): IntegerValue {
    const extents = this.#extents(input.maps, (x, c) => {
      const y = x * ofChannel(input.scales, c) * ofChannel(x < 0 ? rule.negative : rule.positive, c);
      return y < rule.low ? rule.low : y > rule.high ? rule.high : y;
    });
    const target = scaling(extents);
    const fixed = requantiseRule(rule, input, target);
    this.#nodes.push({ op: 'requantise', name, input: input.name, ...fixed });
    const maps = input.maps.map((map) => requantise(map, fixed));
    return { ...target, name, channels: input.channels, raw: false, maps };
  }

  /** Scaling of a node that has one scale for all channels, from its real values on the calibration images. */
  #target(name: string, real: readonly Float64Array[], clip: Clip = unlimited): Scaling {
    if (name === this.#network.output) return this.#outputInHu(clip);
    const maps = real.map((data) => ({ channels: 1, height: 1, width: data.length, data }));
    return this.#scaling(
      name,
      this.#extents(maps, (x) => x),
      clip,
    );
  }

  #scaling(name: string, extents: readonly Extent[], clip: Clip): Scaling {
    const form = this.#form(name);
    if (form === 'output') return outputScaling(this.#gains.get(name) ?? 1, clip);
    const { activationBits, headroom } = this.#precision;
    const bits = form === 'wide' ? wideBits : form === 'fine' ? fineBits : activationBits;
    return chooseScaling(form, extents, bits, clip, headroom);
  }

  /** The output is whole HU inside the range of the input. */
  #outputInHu(clip: Clip): Scaling {
    const { lowHu, highHu } = this.#input;
    return {
      scales: Float64Array.of(1),
      low: Math.max(lowHu, Math.round(clip.low)),
      high: Math.min(highHu, Math.round(clip.high)),
    };
  }

  #inHu(value: IntegerValue): IntegerValue {
    const inHu = !value.raw && value.scales.length === 1 && value.scales[0] === 1;
    if (inHu && value.low >= this.#input.lowHu && value.high <= this.#input.highHu) return value;
    return this.#requantised(value, identity, 'output-hu', () => this.#outputInHu(unlimited));
  }

  #value(name: string): IntegerValue {
    const value = this.#values.get(name);
    if (!value) throw new DenoiseError('MODEL_INVALID', { reason: `value ${name} is not there` });
    return value;
  }

  #extents(maps: readonly NumberMap[], real: (value: number, channel: number) => number): Extent[] {
    return channelExtents(maps, real, this.#precision.keep);
  }

  #form(name: string): Form {
    return this.#forms.get(name) ?? 'wide';
  }
}

/** A value after means, of all pixels or of windows, in units `meanGain` times as fine. */
function meanOf(input: IntegerValue, name: string, maps: readonly FeatureMap[]): IntegerValue {
  const scales = input.scales.map((scale) => scale / meanGain);
  return { ...input, name, raw: true, scales, low: input.low * meanGain, high: input.high * meanGain, maps };
}

/** Clips, perhaps after a change of scale, and does nothing else. */
const clipsAlone = ({ positive, negative }: FloatActivation): boolean =>
  positive.length === 1 && positive[0] === negative[0] && (positive[0] as number) > 0;

const shapeOf = ({ inChannels, outChannels, kernel, stride, padding }: FloatLinear | FloatConvolution) => ({
  inChannels,
  outChannels,
  kernel: [...kernel] as Pair,
  stride: [...stride] as Pair,
  padding: [...padding] as Four,
});

type Pair = [number, number];
type Four = [number, number, number, number];

/** Least and most of a function over all integers that its input takes; not finite if it is not finite at one of them. */
function rangeOf(apply: (x: number) => number, { low, high }: Scaling, unit: number): Clip {
  const range = { low: Infinity, high: -Infinity };
  for (let x = low; x <= high; x++) {
    const y = apply(x * unit);
    if (!Number.isFinite(y)) return unlimited;
    range.low = Math.min(range.low, y);
    range.high = Math.max(range.high, y);
  }
  return range;
}
