import type { SEALContext } from 'node-seal/allows';
import { DenoiseError } from '../errors/index.ts';
import type { ParameterSet } from '../protocol/index.ts';
import { sealCall, type SealLibrary } from './seal-library.ts';

const contexts = new WeakMap<SealLibrary, Map<ParameterSet, SEALContext>>();

/**
 * The SEAL context of a parameter set: tables, and nothing of any key. It takes 0.1 to 0.4 s to make, so there is one for
 * each set as long as the library lives; nobody deletes it.
 * @throws SEAL_FAILED, PARAMETERS_INSECURE if SEAL's own 128-bit table disagrees with ours
 */
export function sealContext(seal: SealLibrary, set: ParameterSet): SEALContext {
  const known = contexts.get(seal) ?? new Map<ParameterSet, SEALContext>();
  contexts.set(seal, known);
  const context = known.get(set) ?? createContext(seal, set);
  known.set(set, context);
  return context;
}

function createContext(seal: SealLibrary, set: ParameterSet): SEALContext {
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
