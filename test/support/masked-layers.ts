import { outputSize } from '@cipherdose/sdk/packing';
import type { LinearNode, ParameterSet } from '@cipherdose/sdk/protocol';
import { systemRandom } from '@cipherdose/sdk/two-party';
import { ZeroEncryptor } from '@cipherdose/sdk/zero-encryption';
import { loadSeal, SealCipher, type SealLibrary } from '#sdk/he/index.js';
import { decryptShare, encryptShare, shareLayer } from '#sdk/worker/share-cipher.js';
import { openMaskedLayer, type MaskedLayer, type MaskingSources } from '#server/evaluator/masked-layer.js';
import { ZeroPool } from '#server/evaluator/zero-pool.js';
import type { IntegerNetwork } from '#server/network/integer-network.js';
import { integers } from './arbitraries.ts';
import { evaluationContext } from './encrypted-layers.ts';

/** Id of a two-party session, for tests that need none. */
export const session = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);

/** Both sides of the homomorphic part of private mode: the client's keys, and what the host made of the public one. */
export interface MaskedPair {
  readonly cipher: SealCipher;
  readonly sources: MaskingSources & { readonly zeros: ZeroPool };
}

export async function openMaskedPair(set: ParameterSet, library?: SealLibrary): Promise<MaskedPair> {
  const seal = library ?? (await loadSeal());
  const cipher = new SealCipher(seal, set);
  const encryptor = new ZeroEncryptor(seal, set, session, cipher.publicKey(session));
  return { cipher, sources: { zeros: new ZeroPool(encryptor, 16), random: systemRandom } };
}

/** Uniform values modulo t. */
export function uniformShare(length: number, set: ParameterSet, seed: number): Uint32Array<ArrayBuffer> {
  const next = integers(seed);
  return Uint32Array.from({ length }, () => next(0, 2 ** set.plainModulusBits - 1));
}

/** One layer through both sides. @returns what the client decrypts */
export function throughBothSides(
  { cipher, sources }: MaskedPair,
  network: IntegerNetwork,
  node: LinearNode,
  clientShare: Uint32Array<ArrayBuffer>,
  masked: MaskedLayer,
): Uint32Array<ArrayBuffer> {
  const map = { height: masked.mapHeight, width: masked.mapWidth };
  const size = outputSize(node, map.height, map.width);
  const layer = shareLayer(cipher.set, network.plan.digest, node, map);
  const evaluation = openMaskedLayer(evaluationContext(network), masked, sources);
  const got = new Uint32Array(node.outChannels * size.height * size.width);
  const frames = encryptShare(cipher, layer, clientShare);
  for (const group of layer.groups) {
    const frame = frames.next().value as Uint8Array<ArrayBuffer>;
    decryptShare(cipher, layer, group, evaluation.answer(frame), got);
  }
  if (!evaluation.done) throw new Error('a tile was not answered');
  return got;
}
