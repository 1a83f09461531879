import { describe, expect, it } from '@jest/globals';
import type { ErrorCode } from '@cipherdose/sdk/errors';
import {
  checkParameters,
  parameterSet,
  parameterSetNames,
  type ParameterLiteral,
} from '@cipherdose/sdk/protocol';
import { refusal } from '../../support/refusal.ts';

const good: ParameterLiteral = {
  id: 9,
  name: 'test',
  ringDegree: 4096,
  primes: [1073668097, 1073692673],
  specialPrime: 40961,
  plainModulusBits: 28,
  c0Bits: 31,
  c1Bits: 38,
};

describe('parameter sets', () => {
  it('are frozen and found by name and by number', () => {
    for (const name of parameterSetNames) {
      const set = parameterSet(name);
      expect(Object.isFrozen(set) && Object.isFrozen(set.primes)).toBe(true);
      expect(parameterSet(set.id)).toBe(set);
    }
  });

  it('stay below 109 bits for N = 4096 and 218 for N = 8192, the 128-bit table of the standard', () => {
    for (const set of parameterSetNames.map(parameterSet)) {
      const q = [...set.primes, set.specialPrime].reduce((product, prime) => product * BigInt(prime), 1n);
      expect(q.toString(2).length).toBeLessThanOrEqual(set.ringDegree === 4096 ? 109 : 218);
    }
  });

  it.each<[ErrorCode, Partial<ParameterLiteral>]>([
    ['PARAMETERS_INSECURE', { primes: [1073651713, 1073668097, 1073692673, 1073643521] }],
    ['PARAMETERS_INSECURE', { ringDegree: 2048 }],
    ['PARAMETERS_INSECURE', { ringDegree: 1000 }],
    ['PARAMETERS_INVALID', { primes: [1073668097, 1073668097] }],
    ['PARAMETERS_INVALID', { primes: [1073668097, 1073692674] }],
    ['PARAMETERS_INVALID', { primes: [8193 * 8193] }],
    ['PARAMETERS_INVALID', { plainModulusBits: 32 }],
    ['PARAMETERS_INVALID', { c1Bits: 28 }],
  ])('refuses with %s', (code, change) => {
    expect(() => checkParameters({ ...good, ...change })).toThrow(refusal(code));
  });

  it('says which set is unknown', () => {
    expect(() => parameterSet('n1')).toThrow(refusal('PARAMETERS_UNKNOWN'));
  });
});
