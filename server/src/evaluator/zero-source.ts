import type { EncryptedZero } from '@cipherdose/sdk/zero-encryption';

/** Gives encryptions of zero under the public key of one client, each once. */
export interface ZeroSource {
  take(): EncryptedZero;
}
