import { describe, expect, test } from '@jest/globals';
import type { HuImage } from '@cipherdose/sdk/image';
import { outputSize } from '@cipherdose/sdk/packing';
import { startWalk } from '@cipherdose/sdk/plan';
import { parameterSet, type LinearNode } from '@cipherdose/sdk/protocol';
import { loadSeal, SealCipher } from '#sdk/he/index.js';
import { decryptShare, encryptShare, shareLayer } from '#sdk/worker/share-cipher.js';
import { evaluateFrame } from '#server/evaluator/evaluate-frame.js';
import { integers } from '../support/arbitraries.ts';
import { evaluationContext } from '../support/encrypted-layers.ts';
import type { HeldValues } from '../support/private-client.ts';
import { privateNetwork } from '../support/private-network.ts';
import {
  PrivateConversation,
  randomImage,
  smallPrivateNetwork as options,
} from '../support/private-session.ts';
import { present } from '../support/two-party.ts';
import {
  centredMap,
  correlation,
  countExact,
  differenceOf,
  explainedByChance,
  recoverWeights,
  type SeenLayer,
} from '../support/weight-attack.ts';

// A client that is after the weights chooses its images: noise makes the best equations.

const network = privateNetwork(options);
const { plan } = network;
const set = parameterSet(plan.parameterSet);
const images = [1, 2, 3, 4].map((seed) => randomImage(40, 30, seed));
const nodes = plan.nodes.filter((node) => node.op === 'linear');
const truth = present(network.layers[0]);
const unknowns = truth.weights.length + truth.bias.length;

/** The first layer as a client of the interactive framework sees it: it encrypts the input and decrypts the output. */
function interactiveLayer(cipher: SealCipher, image: HuImage): SeenLayer {
  const context = evaluationContext(network);
  const step = startWalk(plan, image);
  if (step.done) throw new Error('there is no linear layer');
  const { node, input } = step;
  const layer = shareLayer(set, plan.digest, node, input);
  const { height, width } = outputSize(node, input.height, input.width);
  const values = new Uint32Array(node.outChannels * height * width);
  const frames = encryptShare(cipher, layer, Uint32Array.from(input.data));
  for (const group of layer.groups) {
    const frame = frames.next().value as Uint8Array<ArrayBuffer>;
    decryptShare(cipher, layer, group, evaluateFrame(context, frame), values);
  }
  return { input, output: centredMap(values, set.plainModulusBits, [node.outChannels, height, width]) };
}

/** All that a client of private mode holds after a session, by layer, one entry for each image. */
async function privateTranscript(
  of: typeof network,
  series: readonly HuImage[],
  seed: number,
): Promise<readonly (readonly HeldValues[])[]> {
  const held = of.layers.map((): HeldValues[] => []);
  const conversation = await PrivateConversation.open({
    network: of,
    images: series,
    seed,
    held: (values) => present(held[values.spec.node.layer]).push(values),
  });
  conversation.run();
  expect(conversation.client.done).toBe(true);
  conversation.close();
  return held;
}

/** What the attack takes for input and output of a layer. */
type View = (held: HeldValues) => SeenLayer;

const inputMap = ({ spec, input }: HeldValues, values: Uint32Array = input) => {
  const { node, input: size } = spec;
  return centredMap(values, set.plainModulusBits, [node.inChannels, size.height, size.width]);
};
const outputMap = ({ spec }: HeldValues, values: Uint32Array, bits: number) =>
  centredMap(values, bits, [spec.node.outChannels, spec.output.height, spec.output.width]);

/** Pairs that would be input and output of the layer, were there no masks. */
const views: readonly (readonly [string, View])[] = [
  [
    'its share of the accumulators against its input',
    (held) => ({ input: inputMap(held), output: outputMap(held, held.share, held.spec.answerBits) }),
  ],
  [
    'what it decrypted before the image against what it encrypted',
    (held) => ({
      input: inputMap(held, held.uniform),
      output: outputMap(held, held.before, set.plainModulusBits),
    }),
  ],
  [
    "the host's answer against what it sent",
    (held) => ({
      input: inputMap(
        held,
        held.input.map((value, i) => value - present(held.uniform[i])),
      ),
      output: outputMap(held, held.answer, held.spec.answerBits),
    }),
  ],
  [
    'its share of the activations against its input',
    (held) => ({
      input: inputMap(held),
      output: outputMap(held, held.activated, held.spec.activation.outputBits),
    }),
  ],
];

/** Differences of one slice and the next, each slice once: what is the same in both would fall out. */
const differences = (seen: readonly SeenLayer[]): SeenLayer[] =>
  seen.flatMap(({ input, output }, i) => {
    const next = seen[i + 1];
    if (i % 2 === 1 || !next) return [];
    return { input: differenceOf(next.input, input), output: differenceOf(next.output, output) };
  });

/** Networks of the same architecture with weights of their own. */
const strangers = Array.from({ length: 200 }, (_, i) => privateNetwork({ ...options, seed: 1000 + i }));

/** The attack on one layer, held against chance. */
function expectNothing(node: LinearNode, seen: readonly SeenLayer[]): void {
  const recovered = recoverWeights(node, seen);
  const { mean, deviation } = explainedByChance(recovered);
  for (const explained of recovered.explained) expect(Math.abs(explained - mean)).toBeLessThan(5 * deviation);
  const likeness = (of: typeof network): number =>
    correlation(recovered.weights, present(of.layers[node.layer]).weights);
  // What was found is no more like the network than like those that had no part in it.
  const chance = Math.sqrt(strangers.reduce((sum, of) => sum + likeness(of) ** 2, 0) / strangers.length);
  expect(Math.abs(likeness(network))).toBeLessThan(4 * chance);
}

describe('recovery of the weights by least squares', () => {
  test('interactive framework: two slices give every weight and bias of the first layer', async () => {
    const cipher = new SealCipher(await loadSeal(), set);
    const seen = images.slice(0, 2).map((image) => interactiveLayer(cipher, image));
    cipher.dispose();
    const recovered = recoverWeights(present(nodes[0]), seen);
    expect(countExact(recovered, truth)).toBe(unknowns);
    for (const explained of recovered.explained) expect(explained).toBeCloseTo(1, 12);
  });

  describe('private mode', () => {
    let held: readonly (readonly HeldValues[])[];
    let foreign: typeof held;
    test('a session of four slices', async () => {
      held = await privateTranscript(network, images, 21);
      foreign = await privateTranscript(present(strangers[0]), images, 22);
      expect(held.map((values) => values.length)).toEqual([4, 4, 4]);
    });

    test.each(views)('%s: nothing, in any layer', (_, view) => {
      nodes.forEach((node, layer) => {
        const seen = present(held[layer]).map(view);
        expectNothing(node, seen);
        expectNothing(node, differences(seen));
      });
    });

    test('no nearer than what the session of an independent network gives', () => {
      // As many tries as there are views, on both: the best of them.
      const best = (transcript: typeof held): number =>
        Math.max(
          ...views.map(([, view]) => {
            const { weights } = recoverWeights(present(nodes[0]), present(transcript[0]).map(view));
            return Math.abs(correlation(weights, truth.weights));
          }),
        );
      // A correlation of independent weights has the standard deviation 1/sqrt(n).
      const deviation = 1 / Math.sqrt(truth.weights.length);
      expect(best(foreign)).toBeLessThan(4 * deviation);
      expect(best(held)).toBeLessThan(4 * deviation);
    });
  });

  test('it would find a host that uses its masks twice', async () => {
    const next = integers(5);
    const [image] = images as [HuImage];
    const near = {
      ...image,
      hu: image.hu.map((value) => Math.max(-1000, Math.min(3000, value)) + next(-20, 20)),
    };
    // The same seed: the same masks.
    const [[one], [two]] = [
      await privateTranscript(network, [image], 31),
      await privateTranscript(network, [near], 31),
    ] as [HeldValues[][], HeldValues[][]];
    const [, view] = present(views[0]);
    const { spec } = present(one?.[0]);
    const [a, b] = [view(present(one?.[0])), view(present(two?.[0]))];
    const input = differenceOf(b.input, a.input);
    const difference = differenceOf(b.output, a.output);
    const { channels, height, width, data } = difference;
    const output = centredMap(data, spec.answerBits, [channels, height, width]);
    const recovered = recoverWeights(spec.node, [{ input, output }]);
    const found = recovered.weights.filter((weight, i) => Math.round(weight) === truth.weights[i]);
    expect(found).toHaveLength(truth.weights.length);
  });
});
