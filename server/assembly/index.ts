// The kernel of the model host: everything that is done to ciphertexts. It holds no key and allocates nothing; all
// addresses come from evaluator/kernel.ts, which owns the memory.
export { packU64 } from '../../sdk/assembly/bits';
export { freeAddress } from '../../sdk/assembly/free-address';
export { accumulate } from './accumulate';
export { addMasks, addScaled } from './masks';
export { forwardNtt, inverseNtt } from './ntt';
export { interleaveFour, interleaveTwo, unpackResidues } from './residues';
export { gather, roundPolynomial } from './rounding';
export { drawWords, reduceWords } from './uniform';
export { transformWeights } from './weights';
