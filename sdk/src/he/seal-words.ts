/** SEAL's own header before the residues of an uncompressed ciphertext or public key, bytes. */
export const sealHeaderBytes = 113;

/** Low words of the 64-bit residues behind SEAL's header: every modulus of ours is below 2^30. */
export function readSealResidues(saved: Uint8Array): Uint32Array {
  // SEAL and WebAssembly are little endian, and so is every machine that runs them; the copy is aligned.
  const words = new Uint32Array(saved.slice(sealHeaderBytes).buffer);
  const residues = new Uint32Array(words.length / 2);
  for (let i = 0; i < residues.length; i++) residues[i] = words[2 * i] as number;
  return residues;
}

/** Writes residues as 64-bit words behind SEAL's header. @param target what SEAL saved here, as long as the result */
export function writeSealResidues(residues: Uint32Array, target: Uint8Array): void {
  const view = new DataView(target.buffer, target.byteOffset + sealHeaderBytes);
  residues.forEach((residue, i) => {
    view.setUint32(8 * i, residue, true);
    view.setUint32(8 * i + 4, 0, true);
  });
}
