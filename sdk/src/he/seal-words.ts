/** SEAL's own header before the residues of an uncompressed ciphertext or public key, bytes. */
export const sealHeaderBytes = 113;

/** Low words of the 64-bit residues behind SEAL's header: every modulus of ours is below 2^30. */
export function readSealResidues(saved: Uint8Array): Uint32Array {
  const view = new DataView(saved.buffer, saved.byteOffset + sealHeaderBytes);
  return Uint32Array.from({ length: (saved.length - sealHeaderBytes) / 8 }, (_, i) =>
    view.getUint32(8 * i, true),
  );
}

/** Writes residues as 64-bit words behind SEAL's header. @param target what SEAL saved here, as long as the result */
export function writeSealResidues(residues: Uint32Array, target: Uint8Array): void {
  const view = new DataView(target.buffer, target.byteOffset + sealHeaderBytes);
  residues.forEach((residue, i) => {
    view.setUint32(8 * i, residue, true);
    view.setUint32(8 * i + 4, 0, true);
  });
}
