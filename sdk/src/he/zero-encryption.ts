/** What a host of private mode needs of SEAL; see {@link ZeroEncryptor}. */
export { loadSeal, type SealLibrary } from './seal-library.ts';
export { ZeroEncryptor, type EncryptedZero } from './zero-encryptor.ts';
