import type { ParameterSet } from '@cipherdose/sdk/protocol';
import {
  loadSeal,
  ZeroEncryptor,
  type EncryptedZero,
  type SealLibrary,
} from '@cipherdose/sdk/zero-encryption';
import type { ZeroSource } from './zero-source.ts';

/** Whose zeros a pool makes. */
export interface ZeroPoolOptions {
  readonly set: ParameterSet;
  /** Id of the two-party session. */
  readonly session: Uint8Array;
  /** As it came from the client. */
  readonly publicKey: Uint8Array;
  /** Zeros that are held at most; one takes 8 bytes for each prime and coefficient. */
  readonly most: number;
}

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

  /** @throws PUBLIC_KEY_INVALID, PUBLIC_KEY_FOREIGN, SEAL_FAILED */
  static async open({ set, session, publicKey, most }: ZeroPoolOptions): Promise<ZeroPool> {
    const seal = await (library ??= loadSeal());
    return new ZeroPool(new ZeroEncryptor(seal, set, session, publicKey), most);
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
