import { compileModule, growTo, instantiate } from './compile-module.ts';

/** Memory of up to so many bytes is kept for the next call. */
const keptBytes = 2 ** 27;
const alignment = 64;

/** Functions of a module, and the part of its memory that a call may use. */
export interface Room<Functions> {
  readonly call: Functions;
  readonly buffer: ArrayBuffer;
  /** Where each of the pieces begins, a multiple of 64; they hold what the last call left there. */
  readonly addresses: readonly number[];
}

interface Instance<Functions> {
  readonly memory: WebAssembly.Memory;
  readonly call: Functions;
}

/**
 * A module whose calls take all they need from memory and leave nothing there. One instance stays for the next call,
 * unless its memory has become large, since that never shrinks.
 */
export class KeptModule<Functions extends { freeAddress(): number }> {
  readonly #base64: string;
  #compiled: WebAssembly.Module | undefined;
  #kept: Instance<Functions> | undefined;

  constructor(base64: string) {
    this.#base64 = base64;
  }

  /**
   * Memory for one call, which has to end before the next one begins.
   * @param sizes bytes of each piece
   * @throws RangeError where there is not so much memory
   */
  room(sizes: readonly number[]): Room<Functions> {
    const { memory, call } = this.#kept ?? this.#instantiate();
    let next = call.freeAddress();
    const addresses = sizes.map((bytes) => {
      const start = Math.ceil(next / alignment) * alignment;
      next = start + bytes;
      return start;
    });
    growTo(memory, next);
    this.#kept = memory.buffer.byteLength <= keptBytes ? { memory, call } : undefined;
    return { call, buffer: memory.buffer as ArrayBuffer, addresses };
  }

  #instantiate(): Instance<Functions> {
    this.#compiled ??= compileModule(this.#base64);
    const memory = new WebAssembly.Memory({ initial: 1 });
    return { memory, call: instantiate(this.#compiled, memory) };
  }
}
