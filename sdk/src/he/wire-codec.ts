import { codecWasm } from '../generated/codec-wasm.ts';
import { packedBytes, residueBits, seedBytes, type ParameterSet } from '../protocol/index.ts';
import { compileModule, instantiate, pageBytes } from '../wasm/index.ts';

interface CodecExports {
  packResidues(source: number, scratch: number, target: number, count: number, bits: number): number;
  liftReply(
    source: number,
    scratch: number,
    target: number,
    indices: number,
    count: number,
    stride: number,
    bits: number,
    primes: number,
    primeCount: number,
    wholes: number,
    rest: bigint,
  ): number;
  readSigned(
    coefficients: number,
    available: number,
    indices: number,
    target: number,
    count: number,
    modulusBits: number,
  ): void;
  writeUnsigned(source: number, target: number, count: number, modulusBits: number): void;
}

const firstFreeByte = 65_536; // the module's own data stands in the first page

/** Rounded quotient data of q / 2^bits: see liftReply in assembly/index.ts. */
interface LiftConstants {
  readonly wholes: number;
  readonly rest: bigint;
}

/**
 * Changes between SEAL's bytes and the wire, in WebAssembly memory that is laid out once for a parameter set:
 * plaintext coefficients, seeded ciphertexts to bit-packed residues, rounded replies to residues.
 */
export class WireCodec {
  readonly #set: ParameterSet;
  readonly #exports: CodecExports;
  readonly #bytes: Uint8Array;
  readonly #signed: Int32Array;
  readonly #words: number;
  readonly #residues: number;
  readonly #scratch: number;
  readonly #packed: number;
  readonly #indices: number;
  readonly #primes: number;
  readonly #lift: { readonly c0: LiftConstants; readonly c1: LiftConstants };
  #loadedIndices: Uint32Array | undefined;

  constructor(set: ParameterSet) {
    this.#set = set;
    const { ringDegree, primes } = set;
    let next = firstFreeByte;
    const region = (bytes: number): number => {
      const start = next;
      next = Math.ceil((start + bytes) / 64) * 64;
      return start;
    };
    this.#words = region(4 * ringDegree);
    this.#residues = region(2 * primes.length * ringDegree * 8);
    this.#scratch = region(8 * ringDegree);
    this.#packed = region(8 * ringDegree * Math.max(2, primes.length));
    this.#indices = region(4 * ringDegree);
    this.#primes = region(4 * primes.length);
    const wholes = { c0: region(4 * primes.length), c1: region(4 * primes.length) };
    const memory = new WebAssembly.Memory({ initial: Math.ceil(next / pageBytes) });
    this.#exports = instantiate(compileModule(codecWasm), memory);
    this.#bytes = new Uint8Array(memory.buffer);
    this.#signed = new Int32Array(memory.buffer, this.#words, ringDegree);
    new Uint32Array(memory.buffer, this.#primes, primes.length).set(primes);
    const constants = (at: number, bits: number): LiftConstants => {
      const q = primes.reduce((product, prime) => product * BigInt(prime), 1n);
      const power = 1n << BigInt(bits);
      const whole = q / power;
      const target = new Uint32Array(memory.buffer, at, primes.length);
      primes.forEach((prime, k) => (target[k] = Number(whole % BigInt(prime))));
      return { wholes: at, rest: ((q % power) << 48n) / power };
    };
    this.#lift = { c0: constants(wholes.c0, set.c0Bits), c1: constants(wholes.c1, set.c1Bits) };
  }

  /** Signed coefficients for {@link plaintextBytes}: the caller writes them here, length N. */
  get coefficients(): Int32Array {
    return this.#signed;
  }

  /** @returns a view of {@link coefficients} modulo t as N little-endian 64-bit words, valid until the next call */
  plaintextBytes(): Uint8Array {
    const { ringDegree, plainModulusBits } = this.#set;
    this.#exports.writeUnsigned(this.#words, this.#residues, ringDegree, plainModulusBits);
    return this.#bytes.subarray(this.#residues, this.#residues + 8 * ringDegree);
  }

  /**
   * Writes one seeded ciphertext as it goes on the wire.
   * @param c0 64-bit residues of every prime, as SEAL saves them
   * @param seed 64 bytes
   * @returns the offset after it
   */
  packSeeded(c0: Uint8Array, seed: Uint8Array, target: Uint8Array, offset: number): number {
    const { ringDegree, primes } = this.#set;
    const bits = residueBits(this.#set);
    this.#bytes.set(c0, this.#residues);
    let end = this.#packed;
    primes.forEach((_, k) => {
      const source = this.#residues + k * ringDegree * 8;
      end = this.#exports.packResidues(source, this.#scratch, end, ringDegree, bits);
    });
    target.set(this.#bytes.subarray(this.#packed, end), offset);
    target.set(seed, offset + end - this.#packed);
    return offset + end - this.#packed + seedBytes;
  }

  /**
   * Lifts one ciphertext of a reply back to modulus q.
   * @param indices coefficients of c0 that the reply carries; the others become 0
   * @returns a view of c0 then c1, 64-bit residues of every prime, valid until the next call
   */
  liftReply(source: Uint8Array, offset: number, indices: Uint32Array): Uint8Array {
    const { ringDegree, primes, c0Bits, c1Bits } = this.#set;
    const c0Bytes = packedBytes(indices.length, c0Bits);
    const bytes = c0Bytes + packedBytes(ringDegree, c1Bits);
    this.#loadIndices(indices);
    this.#bytes.set(source.subarray(offset, offset + bytes), this.#packed);
    const componentBytes = primes.length * ringDegree * 8;
    this.#bytes.fill(0, this.#residues, this.#residues + componentBytes);
    const lift = (
      from: number,
      to: number,
      at: number,
      count: number,
      bits: number,
      c: LiftConstants,
    ): void => {
      this.#exports.liftReply(
        from,
        this.#scratch,
        to,
        at,
        count,
        ringDegree,
        bits,
        this.#primes,
        primes.length,
        c.wholes,
        c.rest,
      );
    };
    lift(this.#packed, this.#residues, this.#indices, indices.length, c0Bits, this.#lift.c0);
    lift(this.#packed + c0Bytes, this.#residues + componentBytes, 0, ringDegree, c1Bits, this.#lift.c1);
    return this.#bytes.subarray(this.#residues, this.#residues + 2 * componentBytes);
  }

  /**
   * Reads decrypted coefficients as signed integers in [-t/2, t/2).
   * @param words 64-bit coefficients as SEAL saves them, leading zeros dropped
   */
  readCoefficients(words: Uint8Array, indices: Uint32Array, target: Int32Array): void {
    this.#loadIndices(indices);
    this.#bytes.set(words, this.#residues);
    const { plainModulusBits } = this.#set;
    const available = words.length / 8;
    const count = indices.length;
    this.#exports.readSigned(this.#residues, available, this.#indices, this.#words, count, plainModulusBits);
    target.set(this.#signed.subarray(0, count));
  }

  #loadIndices(indices: Uint32Array): void {
    if (this.#loadedIndices === indices) return;
    new Uint32Array(this.#bytes.buffer, this.#indices, indices.length).set(indices);
    this.#loadedIndices = indices;
  }
}
