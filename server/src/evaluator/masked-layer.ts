import type { RandomBytes } from './random-bytes.ts';
import type { ZeroSource } from './zero-source.ts';

/**
 * One linear layer of private mode. The client sends Enc(x'_C) in the frames of interactive mode; the host answers
 *
 *   Enc(W x'_C) + Enc(0) + flood + (W x'_S + b + constant - r)
 *
 * with Enc(0) a fresh encryption of zero under the client's public key. The client decrypts u = W (x'_C + x'_S) + b +
 * constant - r mod t, and the host's share is r. All maps are [channel][row][column], values modulo t.
 *
 * The same call serves a layer that is prepared before an image is there: with x'_C a uniform map of the client's,
 * no host share and no constant, the client learns W x'_C - r. Online it sends x - x'_C (or its share less x'_C), which
 * is uniform, and the host answers with `convolveShare` of that and its own share, plus b + constant + r - r': no
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
  /** What is added to every accumulator of a channel beside the bias: PrivateLayer.offset times 2^shift. [outChannels] */
  readonly constant?: Int32Array | undefined;
  /** Whether the bias of the layer is added; default true. */
  readonly bias?: boolean | undefined;
}

/** What hides the layer: drawn anew for every request. */
export interface MaskingSources {
  readonly zeros: ZeroSource;
  readonly random: RandomBytes;
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

// To come here: openMaskedLayer(context, masked, sources): MaskedEvaluation, with the context { kernel, weights, network }
// of `evaluateFrame`, and in network/share-convolution.ts convolveShare(share, node, layer): W x'_S modulo 2^32.
