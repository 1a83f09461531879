import { DenoiseError } from '../errors/index.ts';

/** An unchecked description of a BFV parameter set. */
export interface ParameterLiteral {
  /** Number on the wire. */
  readonly id: number;
  readonly name: string;
  /** Ring degree N. */
  readonly ringDegree: number;
  /** RNS primes of the ciphertext modulus q, each below 2^30 and 1 modulo 2N, in SEAL's order. */
  readonly primes: readonly number[];
  /** SEAL's key-switching prime: counted for security, never on the wire. */
  readonly specialPrime: number;
  /** log2 of the plain modulus t. */
  readonly plainModulusBits: number;
  /** Bits that a reply keeps of each coefficient of c0 and of c1. */
  readonly c0Bits: number;
  readonly c1Bits: number;
  /**
   * Only of sets of private mode: masked replies carry noise that is uniform on 2^floodBits integers, so that the noise
   * that depends on the weights drowns in it.
   */
  readonly floodBits?: number;
}

declare const checked: unique symbol;
/** A checked, frozen parameter set with at least 128-bit security. */
export type ParameterSet = ParameterLiteral & { readonly [checked]: true };

// Largest log2(q) for 128-bit security with ternary secrets: HomomorphicEncryption.org standard (2018), table 1.
const securityTable: Readonly<Record<number, number>> = { 2048: 54, 4096: 109, 8192: 218 };

/**
 * @returns the frozen parameter set.
 * @throws PARAMETERS_INSECURE if q times the special prime is too large for N,
 *   PARAMETERS_INVALID if a prime cannot be used.
 */
export function checkParameters(literal: ParameterLiteral): ParameterSet {
  const moduli = [...literal.primes, literal.specialPrime];
  const bits = moduli.reduce((sum, prime) => sum + Math.log2(prime), 0);
  const most = securityTable[literal.ringDegree];
  if (most === undefined || Math.ceil(bits) > most)
    throw new DenoiseError('PARAMETERS_INSECURE', {
      name: literal.name,
      ringDegree: literal.ringDegree,
      modulusBits: Math.ceil(bits),
      most: most ?? 0,
    });
  for (const prime of moduli)
    if (prime >= 2 ** 30 || prime % (2 * literal.ringDegree) !== 1 || !isPrime(prime))
      throw new DenoiseError('PARAMETERS_INVALID', { name: literal.name, prime });
  const { plainModulusBits, c0Bits, c1Bits } = literal;
  const valid =
    new Set(moduli).size === moduli.length &&
    plainModulusBits >= 2 &&
    plainModulusBits <= 31 &&
    c0Bits > plainModulusBits &&
    c1Bits > plainModulusBits &&
    c0Bits <= 48 &&
    c1Bits <= 48 &&
    floodFits(literal);
  if (!valid) throw new DenoiseError('PARAMETERS_INVALID', { name: literal.name });
  return Object.freeze({ ...literal, primes: Object.freeze([...literal.primes]) }) as ParameterSet;
}

/** The flood takes at most half of the noise at which decryption fails, q / 2t, and as three words at most. */
function floodFits({ floodBits, primes, plainModulusBits }: ParameterLiteral): boolean {
  if (floodBits === undefined) return true;
  const modulusBits = primes.reduce((sum, prime) => sum + Math.log2(prime), 0);
  return (
    Number.isInteger(floodBits) &&
    floodBits >= 65 &&
    floodBits <= 96 &&
    floodBits < modulusBits - plainModulusBits &&
    // What the host's kernel takes for granted of a message.
    primes.every((prime) => prime > 2 ** (plainModulusBits - 1))
  );
}

function isPrime(value: number): boolean {
  if (value < 2 || value % 2 === 0) return value === 2;
  for (let factor = 3; factor * factor <= value; factor += 2) if (value % factor === 0) return false;
  return true;
}

const q60 = { ringDegree: 4096, primes: [1073668097, 1073692673], specialPrime: 40961 };
const q90 = { ringDegree: 4096, primes: [1073651713, 1073668097, 1073692673], specialPrime: 40961 };

const parameterSets: readonly ParameterSet[] = [
  { id: 1, name: 'n4096-q60-t28', ...q60, plainModulusBits: 28, c0Bits: 31, c1Bits: 38 },
  { id: 2, name: 'n4096-q60-t31', ...q60, plainModulusBits: 31, c0Bits: 34, c1Bits: 41 },
  // Room for more noise.
  { id: 3, name: 'n4096-q90-t25', ...q90, plainModulusBits: 25, c0Bits: 28, c1Bits: 35 },
  // Private mode: a flood that hides the noise of a whole slice (server/src/network/bounds.ts).
  {
    id: 4,
    name: 'n8192-q108-t26',
    ringDegree: 8192,
    primes: [133513217, 133611521, 133644289, 133857281],
    specialPrime: 133251073,
    plainModulusBits: 26,
    c0Bits: 29,
    c1Bits: 38,
    floodBits: 81,
  },
].map(checkParameters);

/** Names of all parameter sets. */
export const parameterSetNames = parameterSets.map((set) => set.name);

/** @throws PARAMETERS_UNKNOWN */
export function parameterSet(nameOrId: string | number): ParameterSet {
  const found = parameterSets.find((set) => set.name === nameOrId || set.id === nameOrId);
  if (!found) throw new DenoiseError('PARAMETERS_UNKNOWN', { name: nameOrId });
  return found;
}

/** A parameter set of private mode. */
export type PrivateParameterSet = ParameterSet & { readonly floodBits: number };

/** Whether replies are masked and flooded: the set of a plan for private mode. */
export const isPrivateSet = (set: ParameterSet): set is PrivateParameterSet => set.floodBits !== undefined;

/** Bytes of `count` values of `bits` bits, packed without gaps and closed to a whole byte. */
export const packedBytes = (count: number, bits: number): number => Math.ceil((count * bits) / 8);

/** Bits of one residue on the wire: the same for every prime of a set. */
export const residueBits = (set: ParameterSet): number => Math.ceil(Math.log2(Math.max(...set.primes)));

/** Length of the Blake2xb seed that stands for c1 of a fresh symmetric ciphertext, bytes. */
export const seedBytes = 64;

/** Bytes of one seeded ciphertext in a request: c0 of every prime, then the seed. */
export const requestCiphertextBytes = (set: ParameterSet): number =>
  set.primes.length * packedBytes(set.ringDegree, residueBits(set)) + seedBytes;

/** Bytes of one ciphertext in a reply that carries `outputs` values. */
export const replyCiphertextBytes = (set: ParameterSet, outputs: number): number =>
  packedBytes(outputs, set.c0Bits) + packedBytes(set.ringDegree, set.c1Bits);
