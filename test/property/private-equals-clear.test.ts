import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { emptyMap, type FeatureMap, type HuImage } from '@cipherdose/sdk/image';
import { outputSize } from '@cipherdose/sdk/packing';
import {
  continueWalk,
  privateLayers,
  startWalk,
  type PendingLinear,
  type PrivateLayer,
} from '@cipherdose/sdk/plan';
import { parameterSet } from '@cipherdose/sdk/protocol';
import { chunkActivations, signedResult } from '@cipherdose/sdk/two-party';
import { evaluateClear } from '#server/network/clear-evaluator.js';
import type { IntegerNetwork, LinearWeights } from '#server/network/integer-network.js';
import { convolveShare } from '#server/network/share-convolution.js';
import { integers } from '../support/arbitraries.ts';
import { openMaskedPair, throughBothSides, uniformShare, type MaskedPair } from '../support/masked-layers.ts';
import { privateNetwork } from '../support/private-network.ts';
import { activate, openPair, prepare, type Pair } from '../support/two-party.ts';

// Both sides of private mode without a session between them: masked layers and two-party activations, put together by
// hand. What travels in reality is what these functions hand to one another.

const set = parameterSet('n8192-q108-t26');
const mask = 2 ** set.plainModulusBits - 1;

/** Shares of a layer's input modulo t; of the first layer the client has all. */
interface Shares {
  readonly client: Uint32Array<ArrayBuffer>;
  readonly host?: Uint32Array<ArrayBuffer>;
}

interface Sides {
  readonly masked: MaskedPair;
  readonly twoParty: Pair;
}

type Correlations = ReturnType<typeof prepare>;

const concatenated = (parts: readonly Uint32Array[]): Uint32Array<ArrayBuffer> =>
  Uint32Array.from(parts.flatMap((part) => [...part]));

/** The client's u = y - r of one layer, with the ciphertexts online: the client's share is what is encrypted. */
function direct(
  { masked }: Sides,
  network: IntegerNetwork,
  { node }: PrivateLayer,
  map: FeatureMap,
  shares: Shares,
  masks: Uint32Array,
): Uint32Array {
  return throughBothSides(masked, network, node, shares.client, {
    layer: node.layer,
    mapHeight: map.height,
    mapWidth: map.width,
    hostShare: shares.host,
    mask: masks,
  });
}

/** The same with the ciphertexts before the image: a uniform map is encrypted, and what is sent online is uniform. */
function prepared(
  { masked }: Sides,
  network: IntegerNetwork,
  { node }: PrivateLayer,
  map: FeatureMap,
  shares: Shares,
  masks: Uint32Array,
): Uint32Array {
  const uniform = uniformShare(shares.client.length, set, 71);
  const hidden = uniformShare(masks.length, set, 72);
  const before = throughBothSides(masked, network, node, uniform, {
    layer: node.layer,
    mapHeight: map.height,
    mapWidth: map.width,
    mask: hidden,
    bias: false,
  });
  const sent = shares.client.map((value, i) => (value - (uniform[i] as number)) & mask);
  const input = sent.map((value, i) => (value + (shares.host?.[i] ?? 0)) & mask);
  const layer = network.layers[node.layer] as LinearWeights;
  const sums = convolveShare(input, node, map, layer);
  const plane = sums.length / node.outChannels;
  const answer = sums.map((sum, i) => {
    const bias = layer.bias[Math.floor(i / plane)] as number;
    return (sum + bias + (hidden[i] as number) - (masks[i] as number)) & mask;
  });
  return answer.map((value, i) => (value + (before[i] as number)) & mask);
}

/** Shares of the activations, modulo 2^outputBits. */
function activated(
  { twoParty }: Sides,
  correlations: readonly Correlations[],
  u: Uint32Array,
): { client: Uint32Array; host: Uint32Array } {
  let done = 0;
  const parts = correlations.map((pieces) => {
    const { masks } = pieces.host;
    // What the support takes is y; from it and the masks it makes u again.
    const y = Int32Array.from(masks, (r, i) => (u[done + i] as number) + r);
    done += masks.length;
    return activate(twoParty, pieces, y);
  });
  return {
    client: concatenated(parts.map(({ client }) => client)),
    host: concatenated(parts.map(({ host }) => host)),
  };
}

function runPrivate(sides: Sides, network: IntegerNetwork, image: HuImage, linear: typeof direct): HuImage {
  let step = startWalk(network.plan, image) as PendingLinear;
  let shares: Shares = { client: Uint32Array.from(step.input.data, (value) => value & mask) };
  const layers = privateLayers(network.plan);
  for (const layer of layers) {
    const { node, activation } = layer;
    const size = outputSize(node, step.input.height, step.input.width);
    const count = node.outChannels * size.height * size.width;
    const correlations: Correlations[] = [];
    for (let done = 0; done < count; done += chunkActivations)
      correlations.push(prepare(sides.twoParty, activation, Math.min(chunkActivations, count - done)));
    const masks = concatenated(correlations.map(({ host }) => host.masks));
    const u = linear(sides, network, layer, step.input, shares, masks);
    const { client, host } = activated(sides, correlations, u);
    sides.twoParty.spoken.length = 0;
    const unknown = emptyMap(node.outChannels, size.height, size.width);
    if (!activation.dividesOnly) {
      shares = { client: client.map((share) => share & mask), host: host.map((share) => share & mask) };
      // The client's walk goes on without the values.
      step = continueWalk(step, unknown) as PendingLinear;
      continue;
    }
    client.forEach((share, i) => {
      const result = signedResult(share + (host[i] as number), activation);
      unknown.data[i] = result * 2 ** activation.shift;
    });
    const end = continueWalk(step, unknown);
    if (end.done) return end.image;
  }
  throw new Error('the walk did not end');
}

describe('private === clear', () => {
  let sides: Sides;
  beforeAll(async () => {
    sides = { masked: await openMaskedPair(set), twoParty: openPair() };
  });
  afterAll(() => {
    sides.masked.sources.zeros[Symbol.dispose]();
    sides.masked.cipher.dispose();
  });

  const side = fc.integer({ min: 1, max: 5 });
  const networks = fc.record({
    seed: fc.integer(),
    kernels: fc.array(fc.tuple(side, side), { minLength: 1, maxLength: 3 }),
    widths: fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 4 })),
    factor: fc.integer({ min: 1, max: 3 }),
    clampBits: fc.integer({ min: 5, max: 9 }),
    lastClampBits: fc.integer({ min: 4, max: 9 }),
    shift: fc.integer({ min: 1, max: 9 }),
    weight: fc.integer({ min: 1, max: 200 }),
    width: fc.integer({ min: 9, max: 60 }),
    height: fc.integer({ min: 9, max: 60 }),
  });

  test.each([
    ['ciphertexts online', direct],
    ['ciphertexts before the image', prepared],
  ])('random networks: %s', (_, linear) => {
    let changed = 0;
    fc.assert(
      fc.property(networks, ({ width, height, ...options }) => {
        const network = privateNetwork(options);
        const next = integers(options.seed);
        const hu = Int16Array.from({ length: width * height }, () => next(-1200, 3200));
        const image: HuImage = { width, height, hu };
        const clear = evaluateClear(network, image);
        if (clear.hu.some((value, i) => value !== hu[i])) changed++;
        expect(runPrivate(sides, network, image, linear).hu).toEqual(clear.hu);
      }),
      { numRuns: 10 },
    );
    expect(changed).toBeGreaterThan(3);
  });
});
