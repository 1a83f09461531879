import { DenoiseError } from '@cipherdose/sdk/errors';
import { packedBytes, requestCiphertextBytes, residueBits } from '@cipherdose/sdk/protocol';
import { polynomialBytes } from './layer-geometry.ts';
import type { Workspace } from './workspace.ts';

/**
 * Unpacks, checks, expands and transforms consecutive tiles of a request into the inputs of the workspace.
 * @param body for each tile, for each input channel, one seeded ciphertext
 * @throws FRAME_RESIDUE
 */
export function loadTiles(workspace: Workspace, body: Uint8Array, firstTile: number, tiles: number): void {
  const { kernel, layer, parameters } = workspace;
  const { inChannels } = layer.node;
  const polynomial = polynomialBytes(layer.set);
  for (let tile = 0; tile < tiles; tile += 2) {
    const count = Math.min(2, tiles - tile);
    const interleave = count === 2 ? kernel.call.interleaveFour : kernel.call.interleaveTwo;
    const width = count * 2 * 16;
    for (let channel = 0; channel < inChannels; channel++) {
      for (let k = 0; k < count; k++) loadCiphertext(workspace, body, firstTile + tile + k, channel, k);
      for (let prime = 0; prime < parameters.primes.length; prime++) {
        const pair =
          workspace.inputs + prime * workspace.inputPrimeBytes + tile * 2 * inChannels * polynomial;
        interleave(
          workspace.polynomials + prime * 4 * polynomial,
          pair + channel * width,
          inChannels * width,
        );
      }
    }
  }
}

/** @param place 0 or 1: where c0 and c1 go among the polynomials of the workspace */
function loadCiphertext(
  workspace: Workspace,
  body: Uint8Array,
  tile: number,
  channel: number,
  place: number,
): void {
  const { kernel, layer, parameters, packed, words } = workspace;
  const { call } = kernel;
  const { set, node } = layer;
  const length = requestCiphertextBytes(set);
  const bits = residueBits(set);
  const polynomial = polynomialBytes(set);
  const primeBytes = packedBytes(set.ringDegree, bits);
  const start = (tile * node.inChannels + channel) * length;
  kernel.bytes(packed, length).set(body.subarray(start, start + length));
  call.drawWords(packed + parameters.primes.length * primeBytes, parameters.primes.length, words);
  parameters.primes.forEach(({ prime, table }, i) => {
    const c0 = workspace.polynomials + (4 * i + 2 * place) * polynomial;
    const c1 = c0 + polynomial;
    const coefficient = call.unpackResidues(packed + i * primeBytes, c0, bits, prime);
    if (coefficient >= 0) throw new DenoiseError('FRAME_RESIDUE', { tile, channel, prime, coefficient });
    call.reduceWords(words + i * 2 * polynomial, table, c1);
    call.forwardNtt(c0, table);
    call.forwardNtt(c1, table);
  });
}
