export { SealCipher } from './seal-cipher.ts';
export { loadSeal, type SealLibrary } from './seal-library.ts';
