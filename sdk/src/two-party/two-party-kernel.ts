import { DenoiseError } from '../errors/index.ts';
import { twoPartyWasm } from '../generated/two-party-wasm.ts';
import { compileModule, growTo, instantiate } from '../wasm/index.ts';

type Loop = (...addressesAndCounts: number[]) => number;

/** Functions of assembly/two-party, see there for their arguments. */
export type TwoPartyLoops = Record<
  | 'closeCarryClient'
  | 'closeCarryHost'
  | 'closeNode'
  | 'closeProduct'
  | 'copyPlane'
  | 'finishTriples'
  | 'hashFour'
  | 'openCarry'
  | 'openNode'
  | 'openProduct'
  | 'openTopProduct'
  | 'readTables'
  | 'receiveLeaves'
  | 'receivePairs'
  | 'sendLeaves'
  | 'sendPairs'
  | 'signPlane'
  | 'shiftShares'
  | 'splitPlanes'
  | 'stretchSeed'
  | 'truncateClient'
  | 'truncateHost'
  | 'writeTables',
  Loop
>;

/** A piece of the kernel's memory. */
export interface Region {
  readonly address: number;
  readonly bytes: number;
}

/** One instance of the WASM module and the only owner of its memory. */
export class TwoPartyKernel {
  readonly loops: TwoPartyLoops;
  readonly #memory = new WebAssembly.Memory({ initial: 4 });
  readonly #free = new Map<number, number[]>();
  #next: number;
  #used = 0;

  constructor() {
    const calls = instantiate<TwoPartyLoops & { initialise(): number }>(
      compileModule(twoPartyWasm),
      this.#memory,
    );
    this.loops = calls;
    this.#next = align(calls.initialise());
    this.#reach(this.#next);
  }

  /** Size of the memory, bytes; it never shrinks. */
  get memoryBytes(): number {
    return this.#memory.buffer.byteLength;
  }

  /** Bytes of it that are handed out. */
  get usedBytes(): number {
    return this.#used;
  }

  /**
   * Hands out zeroed memory; given back regions of the same size are used again.
   * @throws TWO_PARTY_MEMORY where the memory cannot grow
   */
  take(bytes: number): Region {
    const size = align(bytes);
    const address = this.#free.get(size)?.pop() ?? this.#next;
    if (address === this.#next) {
      this.#reach(address + size);
      this.#next = address + size;
    }
    this.#used += size;
    return { address, bytes: size };
  }

  /** Takes a region back and wipes it. */
  give({ address, bytes }: Region): void {
    this.bytes(address, bytes).fill(0);
    const list = this.#free.get(bytes);
    if (list) list.push(address);
    else this.#free.set(bytes, [address]);
    this.#used -= bytes;
  }

  /** A view that is valid until the next {@link take}. */
  bytes(address: number, length: number): Uint8Array {
    return new Uint8Array(this.#memory.buffer, address, length);
  }

  /** A view that is valid until the next {@link take}. */
  words(address: number, length: number): Uint32Array {
    return new Uint32Array(this.#memory.buffer, address, length);
  }

  #reach(end: number): void {
    try {
      growTo(this.#memory, end);
    } catch (cause) {
      throw new DenoiseError('TWO_PARTY_MEMORY', { bytes: end }, { cause });
    }
  }
}

const align = (bytes: number): number => Math.ceil(bytes / 64) * 64;

/** Gives out addresses inside a region that is not there yet: offsets first, the base later. */
export class RegionPlan {
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  /** @returns the offset of `bytes` bytes */
  add(bytes: number): number {
    const offset = this.#bytes;
    this.#bytes = align(offset + bytes);
    return offset;
  }
}
