import { kernelIndex } from '@cipherdose/sdk/packing';
import type { Kernel } from './kernel.ts';
import { polynomialBytes, type LayerGeometry } from './layer-geometry.ts';
import type { Region } from './memory-arena.ts';

/** Weights of some output channels of a layer, in the kernel's memory and in the form it multiplies with. */
export interface PreparedWeights {
  readonly region: Region;
  readonly outChannels: number;
  /** Distance of the weights of two primes. */
  readonly primeBytes: number;
}

/** Transforms the kernels of `outChannels` output channels from `firstOutChannel` on. */
export function prepareWeights(
  kernel: Kernel,
  layer: LayerGeometry,
  firstOutChannel: number,
  outChannels: number,
): PreparedWeights {
  const { node, set } = layer;
  const { primes } = kernel.parameters(set);
  const polynomial = polynomialBytes(set);
  const primeBytes = outChannels * node.inChannels * polynomial;
  const indices = tapIndices(layer);
  const perOutChannel = node.inChannels * indices.length;
  const first = firstOutChannel * perOutChannel;
  const taps = layer.weights.weights.subarray(first, first + outChannels * perOutChannel);
  const work = kernel.allocate(4 * polynomial + indices.byteLength + taps.byteLength);
  try {
    const region = kernel.allocate(primes.length * primeBytes);
    const indicesAddress = work.address + 4 * polynomial;
    const tapsAddress = indicesAddress + indices.byteLength;
    kernel.words(indicesAddress, indices.length).set(indices);
    const tapBytes = new Uint8Array(taps.buffer, taps.byteOffset, taps.byteLength);
    kernel.bytes(tapsAddress, taps.byteLength).set(tapBytes);
    primes.forEach(({ table }, i) => {
      kernel.call.transformWeights(
        tapsAddress,
        indicesAddress,
        indices.length,
        node.inChannels,
        outChannels,
        work.address,
        region.address + i * primeBytes,
        table,
      );
    });
    return { region, outChannels, primeBytes };
  } finally {
    kernel.release(work);
  }
}

/** Coefficient at which each tap stands, row-major. */
function tapIndices({ node, tiling }: LayerGeometry): Uint32Array {
  const [rows, columns] = node.kernel;
  return Uint32Array.from({ length: rows * columns }, (_, tap) =>
    kernelIndex(tiling, node, Math.floor(tap / columns), tap % columns),
  );
}

/** Prepared weights of the layers used last, at most `mostBytes` of them. */
export class WeightCache {
  readonly #kernel: Kernel;
  readonly #mostBytes: number;
  /** Least recently used first. */
  readonly #entries = new Map<string, PreparedWeights>();
  #bytes = 0;

  constructor(kernel: Kernel, mostBytes: number) {
    this.#kernel = kernel;
    this.#mostBytes = mostBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** @returns weights that stay valid until the next call */
  get(layer: LayerGeometry, firstOutChannel: number): PreparedWeights {
    const key = [layer.digest, layer.node.layer, layer.tiling.pitch, firstOutChannel].join('/');
    const prepared = this.#entries.get(key) ?? this.#prepare(layer, firstOutChannel);
    this.#entries.delete(key);
    this.#entries.set(key, prepared);
    return prepared;
  }

  #prepare(layer: LayerGeometry, firstOutChannel: number): PreparedWeights {
    const { node, set } = layer;
    const outChannels = Math.min(layer.outChannelsPerBlock, node.outChannels - firstOutChannel);
    const needed = set.primes.length * outChannels * node.inChannels * polynomialBytes(set);
    for (const [key, { region }] of this.#entries) {
      if (this.#bytes + needed <= this.#mostBytes) break;
      this.#entries.delete(key);
      this.#kernel.release(region);
      this.#bytes -= region.bytes;
    }
    const prepared = prepareWeights(this.#kernel, layer, firstOutChannel, outChannels);
    this.#bytes += prepared.region.bytes;
    return prepared;
  }
}
