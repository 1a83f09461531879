import type { SEALContext } from 'node-seal/allows';
import { DenoiseError } from '../errors/index.ts';
import type { ParameterSet } from '../protocol/index.ts';
import { sealCall, type SealLibrary } from './seal-library.ts';

/**
 * A SEAL context for one of our parameter sets. The caller owns it and calls `delete()`.
 * @throws SEAL_FAILED, PARAMETERS_INSECURE if SEAL's own 128-bit table disagrees with ours
 */
export function createSealContext(seal: SealLibrary, set: ParameterSet): SEALContext {
  return sealCall('context', () => {
    using parameters = new seal.EncryptionParameters(seal.SchemeType.bfv);
    using moduli = new seal.VectorModulus();
    for (const prime of [...set.primes, set.specialPrime]) {
      using modulus = new seal.Modulus(BigInt(prime));
      moduli.push_back(modulus);
    }
    using plainModulus = new seal.Modulus(1n << BigInt(set.plainModulusBits));
    parameters.setPolyModulusDegree(set.ringDegree);
    parameters.setCoeffModulus(moduli);
    parameters.setPlainModulus(plainModulus);
    const context = new seal.SEALContext(parameters, true, seal.SecLevelType.tc128);
    if (!context.parametersSet()) {
      context.delete();
      throw new DenoiseError('PARAMETERS_INSECURE', { name: set.name, ringDegree: set.ringDegree });
    }
    return context;
  });
}
