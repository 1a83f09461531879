import type { ParameterSet } from '@cipherdose/sdk/protocol';
import {
  loadSeal,
  ZeroEncryptor,
  type EncryptedZero,
  type SealLibrary,
} from '@cipherdose/sdk/zero-encryption';
import type { ZeroSource } from './zero-source.ts';

/**
 * Makes the pool of one client.
 * @param session id of the two-party session
 * @param publicKey as it came from the client
 * @throws PUBLIC_KEY_INVALID, PUBLIC_KEY_FOREIGN, SEAL_FAILED
 */
export type OpenZeroPool = (session: Uint8Array, publicKey: Uint8Array) => ZeroPool;

let library: Promise<SealLibrary> | undefined;

/**
 * Encryptions of zero under one client's public key. They depend on nothing but the key, so they are made while nobody
 * waits; what is taken beyond those is made on the spot.
 */
export class ZeroPool implements ZeroSource, Disposable {
  readonly #encryptor: Pick<ZeroEncryptor, 'encrypt' | 'dispose'>;
  readonly #most: number;
  #held: EncryptedZero[] = [];

  constructor(encryptor: Pick<ZeroEncryptor, 'encrypt' | 'dispose'>, most: number) {
    this.#encryptor = encryptor;
    this.#most = most;
  }

  /** Loads SEAL, once, before it is needed. @throws SEAL_FAILED */
  static async load(): Promise<void> {
    await (library ??= loadSeal());
  }

  /**
   * Loads SEAL if that is not done.
   * @param most zeros that a pool holds; one takes 8 bytes for each prime and coefficient
   * @throws SEAL_FAILED
   */
  static async opener(set: ParameterSet, most: number): Promise<OpenZeroPool> {
    const seal = await (library ??= loadSeal());
    return (session, publicKey) => new ZeroPool(new ZeroEncryptor(seal, set, session, publicKey), most);
  }

  /** Zeros that are held. */
  get ready(): number {
    return this.#held.length;
  }

  /** Makes up to `count` more; a few milliseconds each. @returns how many there was room for */
  fill(count: number): number {
    const made = Math.max(0, Math.min(count, this.#most - this.#held.length));
    for (let i = 0; i < made; i++) this.#held.push(this.#encryptor.encrypt());
    return made;
  }

  take(): EncryptedZero {
    return this.#held.pop() ?? this.#encryptor.encrypt();
  }

  /** Drops what is held and frees SEAL's memory. */
  [Symbol.dispose](): void {
    this.#held = [];
    this.#encryptor.dispose();
  }
}
