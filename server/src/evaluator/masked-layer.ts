import { DenoiseError } from '@cipherdose/sdk/errors';
import { isPrivateSet } from '@cipherdose/sdk/protocol';
import type { RandomSource } from '@cipherdose/sdk/two-party';
import { convolveShare } from '../network/share-convolution.ts';
import { checkRequest, evaluateRequest, type EvaluationContext } from './evaluate-frame.ts';
import { findLayer, layerGeometry, type LayerGeometry } from './layer-geometry.ts';
import { ReplyMasks } from './reply-masks.ts';
import type { ZeroSource } from './zero-source.ts';

/**
 * One linear layer of private mode. The client sends Enc(x'_C) in the frames of interactive mode; the host answers
 *
 *   Enc(W x'_C) + Enc(0) + flood + (W x'_S + b - r)
 *
 * with Enc(0) a fresh encryption of zero under the client's public key. The client decrypts u = W (x'_C + x'_S) + b - r
 * mod t, and the host's share is r. All maps are [channel][row][column], values modulo t.
 *
 * The same call serves a layer that is prepared before an image is there: with x'_C a uniform map of the client's,
 * no host share and no bias, the client learns W x'_C - r. Online it sends x - x'_C (or its share less x'_C), which
 * is uniform, and the host answers with `convolveShare` of that and its own share, plus b + r - r': no
 * ciphertext travels and no encryption is waited for once the image is there.
 */
export interface MaskedLayer {
  /** Number of the layer in the plan. */
  readonly layer: number;
  /** Size of the layer's input map. */
  readonly mapHeight: number;
  readonly mapWidth: number;
  /** x'_S; none for the first layer. [inChannels][mapHeight][mapWidth], modulo t */
  readonly hostShare?: Uint32Array | undefined;
  /** r, uniform modulo t: used once. [outChannels][outHeight][outWidth] */
  readonly mask: Uint32Array;
  /** Whether the bias of the layer is added; default true. */
  readonly bias?: boolean | undefined;
}

/** What hides the layer: drawn anew for every request. */
export interface MaskingSources {
  readonly zeros: ZeroSource;
  readonly random: RandomSource;
}

/**
 * Answers the request frames of one masked layer. Every tile is answered once: a second answer under the same mask
 * would tell the client what the mask hides.
 */
export interface MaskedEvaluation {
  /**
   * @param frame a request frame of interactive mode, checked as there
   * @returns the reply frame
   * @throws LAYER_UNKNOWN, FRAME_*; FRAME_GEOMETRY also if a tile was answered before
   */
  answer(frame: Uint8Array): Uint8Array<ArrayBuffer>;
  /** Whether every tile was answered. */
  readonly done: boolean;
}

/**
 * Prepares the answers to one masked layer: W x'_S + b - r, in the clear.
 * @throws LAYER_UNKNOWN; MASK_INVALID if a map does not have the size of the layer; FRAME_GEOMETRY if the size does not
 *   suit the layer; PARAMETERS_INVALID if the plan's parameter set is not one of private mode
 */
export function openMaskedLayer(
  context: Omit<EvaluationContext, 'layer'>,
  masked: MaskedLayer,
  sources: MaskingSources,
): MaskedEvaluation {
  const { network } = context;
  const { mapHeight, mapWidth } = masked;
  const layer = layerGeometry(network, findLayer(network, masked.layer), mapHeight, mapWidth);
  const { set } = layer;
  if (!isPrivateSet(set)) throw new DenoiseError('PARAMETERS_INVALID', { name: set.name, mode: 'private' });
  const terms = maskTerms(layer, masked);
  const { tiles } = layer.tiling;
  const answered = new Set<number>();
  return {
    answer: (frame) => {
      const request = checkRequest(network, masked.layer, frame);
      const expected = request.exchange.request;
      if (expected.mapHeight !== mapHeight || expected.mapWidth !== mapWidth)
        throw new DenoiseError('FRAME_GEOMETRY', { mapHeight, mapWidth });
      for (let tile = expected.firstTile; tile < expected.firstTile + expected.tiles; tile++) {
        if (answered.has(tile)) throw new DenoiseError('FRAME_GEOMETRY', { tile, reason: 'answered before' });
        answered.add(tile);
      }
      return evaluateRequest(
        context,
        request,
        frame,
        (workspace) => new ReplyMasks(workspace, set, sources, terms),
      );
    },
    get done() {
      return answered.size === tiles;
    },
  };
}

/** W x'_S + b - r modulo t. Sums wrap modulo 2^32, of which t is a divisor. */
function maskTerms({ node, set, tiling, weights }: LayerGeometry, masked: MaskedLayer): Uint32Array {
  const { hostShare, mask, bias = true, mapHeight, mapWidth } = masked;
  const plane = tiling.outHeight * tiling.outWidth;
  checkLength('mask', mask, node.outChannels * plane);
  checkLength('hostShare', hostShare, node.inChannels * mapHeight * mapWidth);
  const size = { height: mapHeight, width: mapWidth };
  const terms = hostShare ? convolveShare(hostShare, node, size, weights) : new Uint32Array(mask.length);
  const plainMask = 2 ** set.plainModulusBits - 1;
  for (let channel = 0; channel < node.outChannels; channel++) {
    const added = bias ? (weights.bias[channel] as number) : 0;
    for (let i = channel * plane; i < (channel + 1) * plane; i++)
      terms[i] = ((terms[i] as number) + added - (mask[i] as number)) & plainMask;
  }
  return terms;
}

function checkLength(map: string, values: Uint32Array | undefined, expected: number): void {
  if (values && values.length !== expected)
    throw new DenoiseError('MASK_INVALID', { map, length: values.length, expected });
}
