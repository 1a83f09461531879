import type { ParameterSet } from '@cipherdose/sdk/protocol';
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
}

/** A parameter set, ready in the kernel's memory. */
export interface KernelParameters {
  readonly primes: readonly PrimeConstants[];
  /** Address of the addresses of the tables, u32. */
  readonly tables: number;
}

const pageBytes = 65_536;

/** One instance of the WASM kernel and the only owner of its memory. */
export class Kernel {
  readonly call: KernelFunctions;
  readonly #memory: WebAssembly.Memory;
  readonly #arena: MemoryArena;
  readonly #tables = new Map<number, number>();
  readonly #parameters = new Map<number, KernelParameters>();

  constructor() {
    const compiled = new WebAssembly.Module(Buffer.from(kernelWasm, 'base64'));
    this.#memory = new WebAssembly.Memory({ initial: 4 });
    const { exports } = new WebAssembly.Instance(compiled, { env: { memory: this.#memory } });
    this.call = exports as unknown as KernelFunctions;
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

  /** Tables of a parameter set: made at the first use, then kept. */
  parameters(set: ParameterSet): KernelParameters {
    const known = this.#parameters.get(set.id);
    if (known) return known;
    const primes = set.primes.map((prime) => this.#primeConstants(prime, set));
    const tables = this.allocate(4 * primes.length).address;
    this.words(tables, primes.length).set(primes.map(({ table }) => table));
    const parameters = { primes, tables };
    this.#parameters.set(set.id, parameters);
    return parameters;
  }

  #primeConstants(prime: number, set: ParameterSet): PrimeConstants {
    const p = BigInt(prime);
    const others = set.primes.reduce(
      (product, other) => (other === prime ? product : product * BigInt(other)),
      1n,
    );
    const factor = inverseModulo(others * BigInt(set.ringDegree), p);
    return {
      prime,
      table: this.#table(prime, set.ringDegree),
      fractionScale: { factor: Number(factor), quotient: shoupQuotient(factor, p) },
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
    const missing = end - this.memoryBytes;
    if (missing > 0) this.#memory.grow(Math.ceil(missing / pageBytes));
  }
}
