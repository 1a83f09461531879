import {
  layerTilings,
  outputsPerTile,
  layerExchange,
  frameBytes,
  tileGroups,
  privateTilesPerGroup,
} from '@cipherdose/sdk/packing';
import { privateLayers } from '@cipherdose/sdk/plan';
import { parameterSet, type Plan, type PrivateParameterSet } from '@cipherdose/sdk/protocol';
import { activationCost } from '@cipherdose/sdk/two-party';
import { statisticalDistance, sumOfDistances, weightSum } from '../network/bounds.ts';
import type { LinearWeights } from '../network/integer-network.ts';

/** One linear layer in private mode, for one slice. */
export interface PrivateLayerReport {
  readonly layer: number;
  /** Bits of the accumulators, sign included: l of the protocol. */
  readonly accumulatorBits: number;
  readonly shift: number;
  /** 0: of the last layer, whose result is opened to the client. */
  readonly clampBits: number;
  readonly activations: number;
  /** The statistical distance that the flood leaves is at most 2^-this for one coefficient. */
  readonly coefficientDistanceBits: number;
  /** The same for all coefficients of the layer that travel. */
  readonly distanceBits: number;
  /** Of the ciphertexts, both ways. */
  readonly ciphertextBytes: number;
  /** Of the two-party activation: what is prepared without the image, and what is not. */
  readonly offlineBytes: number;
  readonly onlineBytes: number;
}

/** What private mode promises and costs for one slice. */
export interface PrivateReport extends Pick<
  PrivateLayerReport,
  'activations' | 'distanceBits' | 'ciphertextBytes' | 'offlineBytes' | 'onlineBytes'
> {
  /** Of the slice that the rest belongs to, pixels. */
  readonly side: number;
  /** Messages and answers that wait for one another: three for each layer. */
  readonly rounds: number;
  readonly layers: readonly PrivateLayerReport[];
}

/** Round trips of one layer: ciphertexts with the masks' answer, and two of the activation. */
const roundsOfLayer = 3;

/**
 * Bytes are those of the messages without headers.
 * @throws PLAN_NOT_PRIVATE
 */
export function privateReport(plan: Plan, weights: readonly LinearWeights[], side: number): PrivateReport {
  const activations = privateLayers(plan);
  const set = parameterSet(plan.parameterSet) as PrivateParameterSet;
  const parts: { bits: number; coefficients: number }[] = [];
  const layers = layerTilings(plan, side, side).map(({ node, map, tiling }, layer): PrivateLayerReport => {
    const { activation } = activations[layer] as (typeof activations)[number];
    const count = node.outChannels * tiling.outHeight * tiling.outWidth;
    const bits = statisticalDistance(weightSum(weights[layer] as LinearWeights), set);
    const part = { bits, coefficients: node.outChannels * tiling.tiles * outputsPerTile(tiling) };
    parts.push(part);
    const ciphertextBytes = tileGroups(tiling, privateTilesPerGroup)
      .map((group) => layerExchange('', node, set, map, tiling, group))
      .reduce((sum, { request, reply }) => sum + frameBytes(request) + frameBytes(reply), 0);
    const { accumulatorBits, shift, clampBits } = activation;
    return {
      layer,
      accumulatorBits,
      shift,
      clampBits,
      activations: count,
      coefficientDistanceBits: rounded(bits),
      distanceBits: rounded(sumOfDistances([part])),
      ciphertextBytes,
      ...activationCost(activation, count),
    };
  });
  const total = (key: 'activations' | 'ciphertextBytes' | 'offlineBytes' | 'onlineBytes'): number =>
    layers.reduce((sum, layer) => sum + layer[key], 0);
  return {
    side,
    rounds: roundsOfLayer * layers.length,
    activations: total('activations'),
    distanceBits: rounded(sumOfDistances(parts)),
    ciphertextBytes: total('ciphertextBytes'),
    offlineBytes: total('offlineBytes'),
    onlineBytes: total('onlineBytes'),
    layers,
  };
}

/** Down, so that what is promised holds. */
const rounded = (bits: number): number => Math.floor(bits * 100) / 100;
