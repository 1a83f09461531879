import { frameHeaderBytes } from '@cipherdose/sdk/protocol';
import { checkRequest, type EvaluationContext } from '#server/evaluator/evaluate-frame.js';
import { loadTiles } from '#server/evaluator/load-tiles.js';
import { sumProducts } from '#server/evaluator/sum-products.js';
import { openWorkspace } from '#server/evaluator/workspace.js';
import type { Residues } from './seal-reference.ts';

/** An output ciphertext before bias and rounding. */
export interface OutputResidues {
  readonly tile: number;
  readonly outChannel: number;
  readonly c0: Residues;
  readonly c1: Residues;
}

/** Evaluates a request frame with the kernel up to the exact residues that SEAL would give. */
export function accumulateResidues(
  { kernel, weights, network, layer: number }: EvaluationContext,
  frame: Uint8Array,
) {
  const { layer, exchange } = checkRequest(network, number, frame);
  const { primes } = kernel.parameters(layer.set);
  const { tiles } = exchange.request;
  using workspace = openWorkspace(kernel, layer, tiles);
  loadTiles(workspace, frame.subarray(frameHeaderBytes), 0, tiles);
  const outputs: OutputResidues[] = [];
  for (const { tile, outChannel, c0, c1, primeStride } of sumProducts(workspace, weights, tiles)) {
    const residues = (address: number): Residues =>
      primes.map(({ prime, table, fractionScale }, i) => {
        const at = address + i * primeStride;
        kernel.call.inverseNtt(at, table, fractionScale.factor, fractionScale.quotient);
        // The kernel's last step divides by the other primes on the way; here they come back.
        const others = layer.set.primes.reduce(
          (rest, p) => (p === prime ? rest : (rest * BigInt(p)) % BigInt(prime)),
          1n,
        );
        return kernel
          .words(at, layer.set.ringDegree)
          .map((value) => Number((BigInt(value) * others) % BigInt(prime)));
      });
    outputs.push({ tile, outChannel, c0: residues(c0), c1: residues(c1) });
  }
  return outputs;
}
