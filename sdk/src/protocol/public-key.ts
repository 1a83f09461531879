import { DenoiseError } from '../errors/index.ts';
import type { ParameterSet } from './parameter-sets.ts';

/**
 * A client's public key on its way to the host, little endian: magic "CDPK", version u8, reserved u8, parameter set
 * u16, session 8 bytes; then the residues of both components, u32, for each of the primes and the special prime, in
 * the order and form (NTT) that SEAL keeps them in. Only private mode sends one, once a session.
 */
export const publicKeyHeaderBytes = 16;
/** Bytes of the id of a two-party session. */
export const sessionIdBytes = 8;
const magic = 0x4b504443; // "CDPK"
const version = 1;

/** The moduli of a public key: the primes, then the special one. */
export const publicKeyModuli = (set: ParameterSet): readonly number[] => [...set.primes, set.specialPrime];

/** Residues of a public key. */
export const publicKeyResidues = (set: ParameterSet): number =>
  2 * publicKeyModuli(set).length * set.ringDegree;

/** Length of a public key of a parameter set. */
export const publicKeyBytes = (set: ParameterSet): number =>
  publicKeyHeaderBytes + 4 * publicKeyResidues(set);

/**
 * Writes a public key for one session.
 * @param residues as {@link decodePublicKey} gives them back
 */
export function encodePublicKey(
  set: ParameterSet,
  session: Uint8Array,
  residues: Uint32Array,
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(publicKeyBytes(set));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, magic, true);
  view.setUint8(4, version);
  view.setUint16(6, set.id, true);
  bytes.set(session.subarray(0, sessionIdBytes), 8);
  residues.forEach((residue, i) => view.setUint32(publicKeyHeaderBytes + 4 * i, residue, true));
  return bytes;
}

/**
 * Reads a public key and checks all of it: length, header, session, and every residue against its modulus.
 * @returns residues [component][modulus][coefficient]
 * @throws PUBLIC_KEY_INVALID; PUBLIC_KEY_FOREIGN if it belongs to another session or parameter set
 */
export function decodePublicKey(set: ParameterSet, session: Uint8Array, bytes: Uint8Array): Uint32Array {
  if (bytes.length !== publicKeyBytes(set))
    throw new DenoiseError('PUBLIC_KEY_INVALID', { bytes: bytes.length, expected: publicKeyBytes(set) });
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (view.getUint32(0, true) !== magic || view.getUint8(4) !== version || view.getUint8(5) !== 0)
    throw new DenoiseError('PUBLIC_KEY_INVALID', { reason: 'the header is not that of a public key' });
  if (view.getUint16(6, true) !== set.id || !session.every((byte, i) => byte === bytes[8 + i]))
    throw new DenoiseError('PUBLIC_KEY_FOREIGN');
  const moduli = publicKeyModuli(set);
  const residues = new Uint32Array(publicKeyResidues(set));
  for (let i = 0; i < residues.length; i++) {
    const residue = view.getUint32(publicKeyHeaderBytes + 4 * i, true);
    const modulus = moduli[Math.floor(i / set.ringDegree) % moduli.length] as number;
    if (residue >= modulus) throw new DenoiseError('PUBLIC_KEY_INVALID', { residue: i, modulus });
    residues[i] = residue;
  }
  return residues;
}
