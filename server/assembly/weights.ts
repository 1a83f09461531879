import { polynomialBytes, PrimeTable } from './modular';
import { forwardNtt } from './ntt';
import { interleaveFour, spreadOne } from './residues';

/**
 * Transforms the kernels of `outChannels` output channels for {@link accumulate}: NTT and Montgomery form (times 2^32),
 * laid out as [vector of 4 values][out channel][in channel][4].
 * @param taps i16 [out channel][in channel][tap]
 * @param indices u32 [tap]: the coefficient at which a tap stands
 * @param scratch room for four polynomials
 */
export function transformWeights(
  taps: usize,
  indices: usize,
  tapCount: u32,
  inChannels: u32,
  outChannels: u32,
  scratch: usize,
  target: usize,
  table: PrimeTable,
): void {
  const stride = <usize>inChannels * outChannels << 4;
  for (let out: u32 = 0; out < outChannels; out++) {
    let channel: u32 = 0;
    for (; channel + 4 <= inChannels; channel += 4) {
      for (let k: u32 = 0; k < 4; k++) {
        transformKernel(taps, indices, tapCount, scratch + <usize>k * polynomialBytes, table);
        taps += <usize>tapCount << 1;
      }
      interleaveFour(scratch, target, stride);
      target += 64;
    }
    for (; channel < inChannels; channel++) {
      transformKernel(taps, indices, tapCount, scratch, table);
      taps += <usize>tapCount << 1;
      spreadOne(scratch, target, stride);
      target += 16;
    }
  }
}

function transformKernel(taps: usize, indices: usize, tapCount: u32, target: usize, table: PrimeTable): void {
  memory.fill(target, 0, polynomialBytes);
  const prime = <u64>table.prime;
  for (let tap: usize = 0; tap < <usize>tapCount; tap++) {
    const weight = <i64>load<i16>(taps + (tap << 1));
    const residue = <u64>(weight + (weight < 0 ? <i64>prime : 0));
    store<u32>(target + (<usize>load<u32>(indices + (tap << 2)) << 2), <u32>((residue << 32) % prime));
  }
  forwardNtt(target, table);
}
