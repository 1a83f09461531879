import { outputIndices, outputsPerTile } from '@cipherdose/sdk/packing';
import type { PrivateParameterSet } from '@cipherdose/sdk/protocol';
import { drawUniform } from '@cipherdose/sdk/two-party';
import type { EncryptedZero } from '@cipherdose/sdk/zero-encryption';
import { polynomialBytes } from './layer-geometry.ts';
import type { MaskingSources } from './masked-layer.ts';
import type { Region } from './memory-arena.ts';
import type { ProductSum } from './sum-products.ts';
import type { Workspace } from './workspace.ts';

/** Bytes of random for one flood: 96 bits. */
const floodBytes = 12;

/**
 * What private mode adds to the ciphertexts of a reply, behind the inverse NTT: an encryption of zero, so that c1 says
 * nothing of the weights; to the coefficients of c0 that travel the message that masks the outputs, and a flood that
 * hides the noise. All of it is added modulo q, before anything is rounded: rounding then changes what is hidden
 * already, and tells nothing more.
 */
export class ReplyMasks implements Disposable {
  readonly #workspace: Workspace;
  readonly #set: PrivateParameterSet;
  readonly #sources: MaskingSources;
  /** W x'_S + b - r modulo t, [outChannels][outHeight][outWidth] */
  readonly #terms: Uint32Array;
  readonly #outputs: number;
  readonly #region: Region;
  readonly #at: {
    readonly indices: number;
    readonly floods: number;
    readonly messages: number;
    readonly zero: number;
  };

  constructor(workspace: Workspace, set: PrivateParameterSet, sources: MaskingSources, terms: Uint32Array) {
    const { kernel, layer } = workspace;
    this.#workspace = workspace;
    this.#set = set;
    this.#sources = sources;
    this.#terms = terms;
    this.#outputs = outputsPerTile(layer.tiling);
    this.#region = kernel.allocate((8 + floodBytes) * this.#outputs + polynomialBytes(set));
    const zero = this.#region.address;
    const indices = zero + polynomialBytes(set);
    const messages = indices + 4 * this.#outputs;
    this.#at = { zero, indices, messages, floods: messages + 4 * this.#outputs };
    kernel.words(indices, this.#outputs).set(outputIndices(layer.tiling, layer.node));
  }

  /**
   * Adds to one ciphertext, whose residues are those that `roundPolynomial` takes.
   * @param tile of the layer
   */
  add(sum: ProductSum, tile: number): void {
    const { kernel, parameters } = this.#workspace;
    const { messages, floods, indices } = this.#at;
    const zero = this.#sources.zeros.take();
    this.#addZero(sum.c0, sum.primeStride, zero.c0);
    this.#addZero(sum.c1, sum.primeStride, zero.c1);
    this.#sources.random(kernel.bytes(floods, floodBytes * this.#outputs));
    this.#writeMessages(tile, sum.outChannel);
    parameters.primes.forEach(({ table, additionScale, messageScale }, i) => {
      kernel.call.addMasks(
        sum.c0 + i * sum.primeStride,
        indices,
        this.#outputs,
        floods,
        messages,
        table,
        additionScale.factor,
        messageScale,
        parameters.modulusRest,
        this.#set.plainModulusBits,
        this.#set.floodBits,
      );
    });
  }

  /** Random bytes, zeros of this memory and the message do not stay behind. */
  [Symbol.dispose](): void {
    const { kernel } = this.#workspace;
    kernel.bytes(this.#region.address, this.#region.bytes).fill(0);
    kernel.release(this.#region);
  }

  #addZero(address: number, primeStride: number, residues: EncryptedZero['c0']): void {
    const { kernel, parameters } = this.#workspace;
    const { ringDegree } = this.#set;
    parameters.primes.forEach(({ table, additionScale }, i) => {
      kernel.words(this.#at.zero, ringDegree).set(residues.subarray(i * ringDegree, (i + 1) * ringDegree));
      const { factor, quotient } = additionScale;
      kernel.call.addScaled(address + i * primeStride, this.#at.zero, table, factor, quotient);
    });
  }

  /** Outputs of a tile that lie beyond the map are of use to nobody, and are masked all the same. */
  #writeMessages(tile: number, outChannel: number): void {
    const { kernel, layer } = this.#workspace;
    const { tileRows, tileColumns, tilesAcross, outHeight, outWidth } = layer.tiling;
    const messages = kernel.words(this.#at.messages, this.#outputs);
    const top = Math.floor(tile / tilesAcross) * tileRows;
    const left = (tile % tilesAcross) * tileColumns;
    const rows = Math.min(tileRows, outHeight - top);
    const columns = Math.min(tileColumns, outWidth - left);
    if (rows < tileRows || columns < tileColumns)
      drawUniform(this.#sources.random, messages, this.#set.plainModulusBits);
    for (let y = 0; y < rows; y++) {
      const start = (outChannel * outHeight + top + y) * outWidth + left;
      messages.set(this.#terms.subarray(start, start + columns), y * tileColumns);
    }
  }
}
