import type { Ciphertext, Decryptor, Encryptor, Plaintext, SEALContext } from 'node-seal/allows';
import { DenoiseError } from '../errors/index.ts';
import {
  encodePublicKey,
  isPrivateSet,
  seedBytes,
  sessionIdBytes,
  type ParameterSet,
} from '../protocol/index.ts';
import { sealContext } from './seal-context.ts';
import { sealCall, type SealLibrary } from './seal-library.ts';
import { readSealResidues, sealHeaderBytes } from './seal-words.ts';
import { WireCodec } from './wire-codec.ts';

/**
 * One fresh secret key and what is done with it: symmetric, seeded encryption of polynomials into frames, and
 * decryption of rounded replies. The key is made here and cannot be read out; `dispose()` frees it.
 *
 * Bytes from the host never reach SEAL's deserialisers: a reply is unpacked to residues by our codec, each below
 * its prime by construction, and put behind a header that SEAL itself wrote here.
 */
export class SealCipher {
  readonly set: ParameterSet;
  readonly #seal: SealLibrary;
  readonly #codec: WireCodec;
  readonly #context: SEALContext;
  readonly #encryptor: Encryptor;
  readonly #decryptor: Decryptor;
  readonly #plaintext: Plaintext;
  readonly #ciphertext: Ciphertext;
  /** Bytes of a plaintext with N coefficients and of a two-component ciphertext, as SEAL saves them here. */
  readonly #plaintextBytes: Uint8Array;
  readonly #ciphertextBytes: Uint8Array;
  /** Of a set of private mode: what {@link publicKey} sends. */
  readonly #publicResidues: Uint32Array | undefined;

  /** @throws SEAL_FAILED, PARAMETERS_INSECURE */
  constructor(seal: SealLibrary, set: ParameterSet) {
    this.set = set;
    this.#seal = seal;
    this.#codec = new WireCodec(set);
    this.#context = sealContext(seal, set);
    const { none } = seal.ComprModeType;
    [this.#encryptor, this.#decryptor, this.#publicResidues] = sealCall('keys', () => {
      using generator = new seal.KeyGenerator(this.#context);
      using secretKey = generator.secretKey();
      using publicKey = generator.createPublicKey();
      return [
        new seal.Encryptor(this.#context, publicKey, secretKey),
        new seal.Decryptor(this.#context, secretKey),
        isPrivateSet(set) ? readSealResidues(publicKey.saveToArray(none) as Uint8Array) : undefined,
      ] as const;
    });
    this.#plaintext = new seal.Plaintext(set.ringDegree, set.ringDegree);
    this.#ciphertext = new seal.Ciphertext();
    this.#plaintextBytes = this.#plaintext.saveToArray(none) as Uint8Array;
    sealCall('encrypt', () => this.#encryptor.encryptSymmetric(this.#plaintext, this.#ciphertext));
    this.#ciphertextBytes = this.#ciphertext.saveToArray(none) as Uint8Array;
  }

  /** Signed coefficients of the next {@link encrypt}: the caller writes them here, length N. */
  get coefficients(): Int32Array {
    return this.#codec.coefficients;
  }

  /**
   * Encrypts {@link coefficients} with fresh randomness and writes the seeded ciphertext as it goes on the wire.
   * @returns the offset after it
   */
  encrypt(target: Uint8Array, offset: number): number {
    const bytes = this.#plaintextBytes;
    bytes.set(this.#codec.plaintextBytes(), bytes.length - 8 * this.set.ringDegree);
    const saved = sealCall('encrypt', () => {
      this.#plaintext.loadFromArray(this.#context, bytes);
      using encrypted = this.#encryptor.encryptSymmetricSerializable(this.#plaintext);
      return encrypted.saveToArray(this.#seal.ComprModeType.none) as Uint8Array;
    });
    const c0Bytes = this.set.primes.length * this.set.ringDegree * 8;
    const c0 = saved.subarray(sealHeaderBytes, sealHeaderBytes + c0Bytes);
    return this.#codec.packSeeded(c0, saved.subarray(saved.length - seedBytes), target, offset);
  }

  /**
   * The public key as it goes to the host of private mode, which encrypts zeros with it.
   * @param session id of the two-party session that it is sent in
   * @throws PARAMETERS_INVALID if the parameter set is not one of private mode
   */
  publicKey(session: Uint8Array): Uint8Array<ArrayBuffer> {
    const residues = this.#publicResidues;
    if (!residues || session.length !== sessionIdBytes)
      throw new DenoiseError('PARAMETERS_INVALID', { name: this.set.name, mode: 'private' });
    return encodePublicKey(this.set, session, residues);
  }

  /**
   * Decrypts one ciphertext of a reply.
   * @param indices coefficients that carry outputs
   * @param target receives the outputs, signed, in (-t/2, t/2)
   */
  decrypt(source: Uint8Array, offset: number, indices: Uint32Array, target: Int32Array): void {
    this.#ciphertextBytes.set(this.#codec.liftReply(source, offset, indices), sealHeaderBytes);
    const words = sealCall('decrypt', () => {
      this.#ciphertext.loadFromArray(this.#context, this.#ciphertextBytes);
      this.#decryptor.decrypt(this.#ciphertext, this.#plaintext);
      const saved = this.#plaintext.saveToArray(this.#seal.ComprModeType.none) as Uint8Array;
      return saved.subarray(saved.length - 8 * this.#plaintext.coeffCount());
    });
    this.#codec.readCoefficients(words, indices, target);
  }

  /** Frees the keys and SEAL's memory. */
  dispose(): void {
    for (const owned of [this.#encryptor, this.#decryptor, this.#plaintext, this.#ciphertext]) owned.delete();
  }

  toJSON(): never {
    throw new DenoiseError('SECRET_KEY_EXPORT');
  }
}
