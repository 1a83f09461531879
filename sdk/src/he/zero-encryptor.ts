import type { Ciphertext, Encryptor, SEALContext } from 'node-seal/allows';
import { DenoiseError } from '../errors/index.ts';
import { decodePublicKey, type ParameterSet } from '../protocol/index.ts';
import { sealContext } from './seal-context.ts';
import { sealCall, type SealLibrary } from './seal-library.ts';
import { readSealResidues, sealHeaderBytes, writeSealResidues } from './seal-words.ts';

/** An encryption of zero: residues [prime][coefficient] of both components, in coefficient form. */
export interface EncryptedZero {
  readonly c0: Uint32Array;
  readonly c1: Uint32Array;
}

/**
 * Encrypts zero, and nothing else, under a client's public key: all that a host needs of SEAL, and only in private
 * mode. It depends on no weights and no image.
 *
 * The key's bytes never reach SEAL's deserialisers: its residues are checked and put behind a header that SEAL wrote
 * here.
 */
export class ZeroEncryptor {
  readonly set: ParameterSet;
  readonly #seal: SealLibrary;
  readonly #context: SEALContext;
  readonly #encryptor: Encryptor;
  readonly #ciphertext: Ciphertext;

  /**
   * @param session id of the two-party session that the key has to belong to
   * @throws PUBLIC_KEY_INVALID, PUBLIC_KEY_FOREIGN, SEAL_FAILED
   */
  constructor(seal: SealLibrary, set: ParameterSet, session: Uint8Array, publicKey: Uint8Array) {
    const residues = decodePublicKey(set, session, publicKey);
    this.set = set;
    this.#seal = seal;
    this.#context = sealContext(seal, set);
    this.#encryptor = sealCall('public key', () => {
      using generator = new seal.KeyGenerator(this.#context);
      using key = generator.createPublicKey();
      const bytes = key.saveToArray(seal.ComprModeType.none) as Uint8Array;
      if (bytes.length !== sealHeaderBytes + 8 * residues.length)
        throw new DenoiseError('SEAL_FAILED', { operation: 'public key', reason: 'length' });
      writeSealResidues(residues, bytes);
      key.loadFromArray(this.#context, bytes);
      return new seal.Encryptor(this.#context, key);
    });
    this.#ciphertext = new seal.Ciphertext();
  }

  /** @throws SEAL_FAILED */
  encrypt(): EncryptedZero {
    const saved = sealCall('encrypt zero', () => {
      this.#encryptor.encryptZero(this.#ciphertext);
      return this.#ciphertext.saveToArray(this.#seal.ComprModeType.none) as Uint8Array;
    });
    const residues = readSealResidues(saved);
    const half = this.set.primes.length * this.set.ringDegree;
    return { c0: residues.slice(0, half), c1: residues.slice(half) };
  }

  /** Frees SEAL's memory. */
  dispose(): void {
    for (const owned of [this.#encryptor, this.#ciphertext]) owned.delete();
  }
}
