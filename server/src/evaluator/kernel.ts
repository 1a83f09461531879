import { DenoiseError } from '@cipherdose/sdk/errors';
import type { ParameterSet } from '@cipherdose/sdk/protocol';
import { compileModule, growTo, instantiate } from '@cipherdose/sdk/wasm';
import { kernel8192Wasm } from '../generated/kernel-8192-wasm.ts';
import { kernelWasm } from '../generated/kernel-wasm.ts';
import { MemoryArena, type Region } from './memory-arena.ts';
import { inverseModulo, shoupQuotient } from './number-theory.ts';
import { primeTable } from './prime-table.ts';

/** Functions of assembly/index.ts; every argument is an address, a count or a constant. */
interface KernelFunctions {
  freeAddress(): number;
  unpackResidues(source: number, target: number, bits: number, prime: number): number;
  drawWords(seed: number, primes: number, words: number): void;
  reduceWords(words: number, table: number, target: number): void;
  forwardNtt(polynomial: number, table: number): void;
  inverseNtt(polynomial: number, table: number, scale: number, scaleQuotient: number): void;
  interleaveFour(source: number, target: number, stride: number): void;
  interleaveTwo(source: number, target: number, stride: number): void;
  transformWeights(
    taps: number,
    indices: number,
    tapCount: number,
    inChannels: number,
    outChannels: number,
    scratch: number,
    target: number,
    table: number,
  ): void;
  accumulate(
    input: number,
    weights: number,
    output: number,
    inChannels: number,
    outChannels: number,
    tiles: number,
    table: number,
  ): void;
  roundPolynomial(
    residues: number,
    stride: number,
    tables: number,
    primes: number,
    shift: bigint,
    bits: number,
    target: number,
  ): void;
  addScaled(target: number, source: number, table: number, scale: number, scaleQuotient: number): void;
  addMasks(
    target: number,
    indices: number,
    count: number,
    floods: number,
    messages: number,
    table: number,
    scale: number,
    messageScale: number,
    modulusRest: number,
    plainModulusBits: number,
    floodBits: number,
  ): void;
  gather(source: number, indices: number, count: number, target: number): void;
  packU64(source: number, target: number, count: number, bits: number): number;
}

/** A constant of the last step of an inverse NTT, with its Shoup quotient. */
export interface Scale {
  readonly factor: number;
  readonly quotient: number;
}

/** What the kernel needs of one prime of a parameter set. */
export interface PrimeConstants {
  readonly prime: number;
  /** Address of its tables. */
  readonly table: number;
  /** (q/p)^-1 / N: with it the inverse NTT gives what `roundPolynomial` takes. */
  readonly fractionScale: Scale;
  /** (q/p)^-1: what is added behind that inverse NTT is multiplied with it. */
  readonly additionScale: Scale;
  /** t^-1 * (q/p)^-1 */
  readonly messageScale: number;
}

/** A parameter set, ready in the kernel's memory. */
export interface KernelParameters {
  readonly primes: readonly PrimeConstants[];
  /** Address of the addresses of the tables, u32. */
  readonly tables: number;
  /** q mod t */
  readonly modulusRest: number;
}

/** The kernel is compiled for each ring degree. */
const modules: ReadonlyMap<number, string> = new Map([
  [4096, kernelWasm],
  [8192, kernel8192Wasm],
]);

/** One instance of the WASM kernel and the only owner of its memory. */
export class Kernel {
  /** N: the kernel takes the parameter sets with this ring degree. */
  readonly ringDegree: number;
  readonly call: KernelFunctions;
  readonly #memory: WebAssembly.Memory;
  readonly #arena: MemoryArena;
  readonly #tables = new Map<number, number>();
  readonly #parameters = new Map<number, KernelParameters>();

  /** @throws PARAMETERS_INVALID if there is no kernel for the ring degree */
  constructor(ringDegree = 4096) {
    const bytes = modules.get(ringDegree);
    if (bytes === undefined) throw new DenoiseError('PARAMETERS_INVALID', { ringDegree });
    this.ringDegree = ringDegree;
    this.#memory = new WebAssembly.Memory({ initial: 4 });
    this.call = instantiate(compileModule(bytes), this.#memory);
    this.#arena = new MemoryArena(this.call.freeAddress(), (end) => {
      this.#reach(end);
    });
  }

  allocate(bytes: number): Region {
    return this.#arena.allocate(bytes);
  }

  release(region: Region): void {
    this.#arena.release(region);
  }

  /** Size of the WASM memory, bytes; it never shrinks. */
  get memoryBytes(): number {
    return this.#memory.buffer.byteLength;
  }

  /** Bytes of that memory that are handed out. */
  get usedBytes(): number {
    return this.#arena.usedBytes;
  }

  /** A view that is valid until the next {@link allocate}. */
  bytes(address: number, length: number): Uint8Array {
    return new Uint8Array(this.#memory.buffer, address, length);
  }

  /** A view that is valid until the next {@link allocate}. */
  words(address: number, length: number): Uint32Array {
    return new Uint32Array(this.#memory.buffer, address, length);
  }

  /**
   * Tables of a parameter set: made at the first use, then kept.
   * @throws PARAMETERS_INVALID if the set has another ring degree
   */
  parameters(set: ParameterSet): KernelParameters {
    const known = this.#parameters.get(set.id);
    if (known) return known;
    if (set.ringDegree !== this.ringDegree)
      throw new DenoiseError('PARAMETERS_INVALID', { name: set.name, ringDegree: this.ringDegree });
    const primes = set.primes.map((prime) => this.#primeConstants(prime, set));
    const tables = this.allocate(4 * primes.length).address;
    this.words(tables, primes.length).set(primes.map(({ table }) => table));
    const modulus = set.primes.reduce((product, prime) => product * BigInt(prime), 1n);
    const modulusRest = Number(BigInt.asUintN(set.plainModulusBits, modulus));
    const parameters = { primes, tables, modulusRest };
    this.#parameters.set(set.id, parameters);
    return parameters;
  }

  #primeConstants(prime: number, set: ParameterSet): PrimeConstants {
    const p = BigInt(prime);
    const others = set.primes.reduce(
      (product, other) => (other === prime ? product : product * BigInt(other)),
      1n,
    );
    const scale = (value: bigint): Scale => {
      const factor = inverseModulo(value, p);
      return { factor: Number(factor), quotient: shoupQuotient(factor, p) };
    };
    return {
      prime,
      table: this.#table(prime, set.ringDegree),
      fractionScale: scale(others * BigInt(set.ringDegree)),
      additionScale: scale(others),
      messageScale: scale(others << BigInt(set.plainModulusBits)).factor,
    };
  }

  #table(prime: number, ringDegree: number): number {
    const known = this.#tables.get(prime);
    if (known !== undefined) return known;
    const table = primeTable(prime, ringDegree);
    const { address } = this.allocate(table.byteLength);
    this.words(address, table.length).set(table);
    this.#tables.set(prime, address);
    return address;
  }

  #reach(end: number): void {
    growTo(this.#memory, end);
  }
}
