/** An encryption of zero under a client's public key: residues [prime][coefficient], coefficient form. Used once. */
export interface EncryptedZero {
  readonly c0: Uint32Array;
  readonly c1: Uint32Array;
}

/** Gives each encryption of zero once. */
export interface ZeroSource {
  take(): EncryptedZero;
}
