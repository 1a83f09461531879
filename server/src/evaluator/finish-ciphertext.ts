import { outputIndices, outputsPerTile } from '@cipherdose/sdk/packing';
import { replyCiphertextBytes } from '@cipherdose/sdk/protocol';
import { polynomialBytes } from './layer-geometry.ts';
import type { Region } from './memory-arena.ts';
import type { ReplyMasks } from './reply-masks.ts';
import type { ProductSum } from './sum-products.ts';
import type { Workspace } from './workspace.ts';

/**
 * Turns product sums into the ciphertexts of a reply: inverse NTT, bias or masks, rounding from q to c0Bits and c1Bits,
 * the output coefficients of c0 and all of c1, bit-packed.
 */
export class CiphertextFinisher implements Disposable {
  readonly #workspace: Workspace;
  readonly #indices: Region;
  readonly #outputs: number;
  readonly #masks: ReplyMasks | undefined;

  /**
   * Takes a little memory of the kernel until it is disposed of.
   * @param masks of private mode; they hold the bias
   */
  constructor(workspace: Workspace, masks?: ReplyMasks) {
    const { kernel, layer } = workspace;
    const indices = outputIndices(layer.tiling, layer.node);
    this.#workspace = workspace;
    this.#masks = masks;
    this.#outputs = outputsPerTile(layer.tiling);
    this.#indices = kernel.allocate(indices.byteLength);
    kernel.words(this.#indices.address, indices.length).set(indices);
  }

  /**
   * @param tile of the layer
   * @returns a view of the packed ciphertext, valid until the kernel is used again
   */
  finish(sum: ProductSum, tile: number): Uint8Array {
    const { kernel, layer, polynomials } = this.#workspace;
    const { call } = kernel;
    const { set } = layer;
    const polynomial = polynomialBytes(set);
    // The polynomials of the input side are free now: N u64, then the u64 of the outputs, then the packed bytes.
    const rounded = polynomials;
    const chosen = rounded + 2 * polynomial;
    const packed = chosen + 2 * polynomial;
    for (const component of [sum.c0, sum.c1]) this.#invert(component, sum.primeStride);
    this.#masks?.add(sum, tile);
    const bias = this.#masks ? 0n : this.#biasFraction(sum.outChannel);
    this.#round(sum.c0, sum.primeStride, bias, set.c0Bits, rounded);
    call.gather(rounded, this.#indices.address, this.#outputs, chosen);
    const middle = call.packU64(chosen, packed, this.#outputs, set.c0Bits);
    this.#round(sum.c1, sum.primeStride, 0n, set.c1Bits, rounded);
    call.packU64(rounded, middle, set.ringDegree, set.c1Bits);
    return kernel.bytes(packed, replyCiphertextBytes(set, this.#outputs));
  }

  [Symbol.dispose](): void {
    this.#workspace.kernel.release(this.#indices);
  }

  #invert(address: number, primeStride: number): void {
    const { kernel, parameters } = this.#workspace;
    const { primes } = parameters;
    for (let i = 0; i < primes.length; i++) {
      const { table, fractionScale } = primes[i] as (typeof primes)[number];
      kernel.call.inverseNtt(address + i * primeStride, table, fractionScale.factor, fractionScale.quotient);
    }
  }

  #round(address: number, primeStride: number, shift: bigint, bits: number, target: number): void {
    const { kernel, parameters } = this.#workspace;
    const { primes, tables } = parameters;
    kernel.call.roundPolynomial(address, primeStride, tables, primes.length, shift, bits, target);
  }

  /** The bias b stands for the fraction b/t of q; with t a power of two that is exact in units of 2^-64. */
  #biasFraction(outChannel: number): bigint {
    const { weights, set } = this.#workspace.layer;
    return BigInt.asUintN(64, BigInt(weights.bias[outChannel] ?? 0) << BigInt(64 - set.plainModulusBits));
  }
}
