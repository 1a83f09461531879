import { stat } from 'node:fs/promises';
import { DenoiseError } from '@cipherdose/sdk/errors';
import { findApiKey } from './api-key.ts';
import { readKeyFile, type KeyRecord } from './key-file.ts';

/** Knows whom an API key belongs to. */
export interface ApiKeys {
  /** @returns undefined if the key is unknown or revoked */
  identify(key: string): Promise<KeyRecord | undefined>;
}

/**
 * The keys of a file, read again when it changes, so that a revocation holds from the next request on. A file that has
 * become unreadable lets nobody in: a revocation must not get lost in a typing error.
 */
export class KeyRing implements ApiKeys {
  readonly #file: string;
  #version = '';
  #records: readonly KeyRecord[] = [];

  private constructor(file: string) {
    this.#file = file;
  }

  /** @throws FILE_UNREADABLE, CONFIG_INVALID */
  static async open(file: string): Promise<KeyRing> {
    const ring = new KeyRing(file);
    await ring.#refresh();
    return ring;
  }

  async identify(key: string): Promise<KeyRecord | undefined> {
    await this.#refresh();
    return findApiKey(this.#records, key);
  }

  async #refresh(): Promise<void> {
    const file = this.#file;
    const { ino, size, mtimeMs } = await stat(file).catch((cause: unknown) => {
      throw new DenoiseError('FILE_UNREADABLE', { file }, { cause });
    });
    const version = `${String(ino)} ${String(size)} ${String(mtimeMs)}`;
    if (version === this.#version) return;
    this.#records = await readKeyFile(file);
    this.#version = version;
  }
}
