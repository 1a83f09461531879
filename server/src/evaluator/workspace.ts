import { requestCiphertextBytes, type ParameterSet } from '@cipherdose/sdk/protocol';
import type { Kernel, KernelParameters } from './kernel.ts';
import { outputStride, polynomialBytes, type LayerGeometry } from './layer-geometry.ts';

/** The memory in which one request is evaluated, and what the steps of the evaluation share. */
export interface Workspace extends Disposable {
  readonly kernel: Kernel;
  readonly layer: LayerGeometry;
  readonly parameters: KernelParameters;
  /** One ciphertext as it came. */
  readonly packed: number;
  /** Words of the seed expansion: N u64 a prime. */
  readonly words: number;
  /** For each prime c0, c1 of two tiles; in the last step, rounded coefficients. At least eight polynomials. */
  readonly polynomials: number;
  /** Transformed inputs, in the order of `accumulate`, one prime behind the other. */
  readonly inputs: number;
  readonly inputPrimeBytes: number;
  /** Sums, in the order of `accumulate`, one prime behind the other. */
  readonly outputs: number;
  readonly outputPrimeBytes: number;
}

/**
 * @param tiles tiles held at a time
 * @returns a workspace that gives its memory back when it is disposed of
 */
export function openWorkspace(kernel: Kernel, layer: LayerGeometry, tiles: number): Workspace {
  const { set, node, outChannelsPerBlock } = layer;
  const parameters = kernel.parameters(set);
  const primes = set.primes.length;
  const polynomial = polynomialBytes(set);
  const inputPrimeBytes = node.inChannels * tiles * 2 * polynomial;
  const outputPrimeBytes = outChannelsPerBlock * tiles * 2 * outputStride(set);
  const packedLength = packedRoom(set);
  const polynomialCount = Math.max(8, 4 * primes);
  const region = kernel.allocate(
    packedLength +
      (2 * primes + polynomialCount) * polynomial +
      primes * (inputPrimeBytes + outputPrimeBytes),
  );
  const packed = region.address;
  const words = packed + packedLength;
  const polynomials = words + primes * 2 * polynomial;
  const inputs = polynomials + polynomialCount * polynomial;
  const outputs = inputs + primes * inputPrimeBytes;
  return {
    kernel,
    layer,
    parameters,
    packed,
    words,
    polynomials,
    inputs,
    inputPrimeBytes,
    outputs,
    outputPrimeBytes,
    [Symbol.dispose]: () => {
      kernel.release(region);
    },
  };
}

const packedRoom = (set: ParameterSet): number => Math.ceil(requestCiphertextBytes(set) / 64) * 64;
