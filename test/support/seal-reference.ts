import loadSeal, { type Ciphertext, type Plaintext } from 'node-seal/allows';
import type { ParameterSet } from '@cipherdose/sdk/protocol';

/** Residues of one polynomial for every prime. */
export type Residues = readonly Uint32Array[];

/** A fresh symmetric ciphertext, as SEAL made it. */
export interface SeededCiphertext {
  readonly c0: Residues;
  /** What SEAL expands the seed to. */
  readonly c1: Residues;
  readonly seed: Uint8Array;
  readonly handle: Ciphertext;
}

const headerBytes = 113;
const seedBytes = 64;

/** node-seal as the truth that the host's kernel is compared with. Handles live until the process ends. */
export async function openSealReference(set: ParameterSet) {
  const seal = await loadSeal();
  const { none } = seal.ComprModeType;
  const parameters = new seal.EncryptionParameters(seal.SchemeType.bfv);
  const moduli = new seal.VectorModulus();
  for (const prime of [...set.primes, set.specialPrime]) moduli.push_back(new seal.Modulus(BigInt(prime)));
  parameters.setPolyModulusDegree(set.ringDegree);
  parameters.setCoeffModulus(moduli);
  parameters.setPlainModulus(new seal.Modulus(1n << BigInt(set.plainModulusBits)));
  const context = new seal.SEALContext(parameters, true, seal.SecLevelType.tc128);
  const keys = new seal.KeyGenerator(context);
  const encryptor = new seal.Encryptor(context, keys.createPublicKey(), keys.secretKey());
  const decryptor = new seal.Decryptor(context, keys.secretKey());
  const evaluator = new seal.Evaluator(context);
  const plainBytes = new seal.Plaintext(set.ringDegree, set.ringDegree).saveToArray(none) as Uint8Array;
  const plainModulus = 2n ** BigInt(set.plainModulusBits);

  const plaintext = (coefficients: Int32Array): Plaintext => {
    const bytes = plainBytes.slice();
    const view = new DataView(bytes.buffer, bytes.length - 8 * set.ringDegree);
    coefficients.forEach((value, i) => {
      view.setBigUint64(8 * i, (BigInt(value) + plainModulus) % plainModulus, true);
    });
    const result = new seal.Plaintext();
    result.loadFromArray(context, bytes);
    return result;
  };

  const residuesAt = (bytes: Uint8Array, component: number): Residues =>
    set.primes.map((_, prime) => {
      const view = new DataView(bytes.buffer, bytes.byteOffset + headerBytes);
      const start = (component * set.primes.length + prime) * set.ringDegree;
      return Uint32Array.from({ length: set.ringDegree }, (_, i) =>
        Number(view.getBigUint64(8 * (start + i), true)),
      );
    });

  const components = (ciphertext: Ciphertext): readonly [Residues, Residues] => {
    const bytes = ciphertext.saveToArray(none) as Uint8Array;
    return [residuesAt(bytes, 0), residuesAt(bytes, 1)];
  };

  return {
    evaluator,

    encrypt(coefficients: Int32Array): SeededCiphertext {
      const saved = encryptor
        .encryptSymmetricSerializable(plaintext(coefficients))
        .saveToArray(none) as Uint8Array;
      const handle = new seal.Ciphertext();
      handle.loadFromArray(context, saved);
      const [c0, c1] = components(handle);
      return { c0, c1, seed: saved.slice(saved.length - seedBytes), handle };
    },

    transformed(ciphertext: Ciphertext): Ciphertext {
      const result = new seal.Ciphertext();
      evaluator.cipherTransformToNtt(ciphertext, result);
      return result;
    },

    transformedPlain(coefficients: Int32Array): Plaintext {
      const result = new seal.Plaintext();
      evaluator.plainTransformToNtt(plaintext(coefficients), context.firstParmsId(), result);
      return result;
    },

    /** Sum of products of transformed operands, still transformed. */
    sumProducts(ciphertexts: readonly Ciphertext[], plaintexts: readonly Plaintext[]): Ciphertext {
      const sum = new seal.Ciphertext();
      const product = new seal.Ciphertext();
      ciphertexts.forEach((ciphertext, i) => {
        const target = i === 0 ? sum : product;
        evaluator.multiplyPlain(ciphertext, plaintexts[i] as Plaintext, target);
        if (i > 0) evaluator.addInplace(sum, product);
      });
      product.delete();
      return sum;
    },

    /** c0 and c1 of a transformed ciphertext, as coefficients. */
    coefficients(transformed: Ciphertext): readonly [Residues, Residues] {
      evaluator.cipherTransformFromNttInplace(transformed);
      return components(transformed);
    },

    /** c0 and c1 as they stand. */
    components,

    /** @returns signed coefficients, length N */
    decrypt(c0: Residues, c1: Residues): Int32Array {
      const template = new seal.Ciphertext();
      encryptor.encryptSymmetric(plaintext(new Int32Array(set.ringDegree)), template);
      const bytes = (template.saveToArray(none) as Uint8Array).slice();
      const view = new DataView(bytes.buffer, headerBytes);
      [...c0, ...c1].forEach((residues, place) => {
        residues.forEach((residue, i) => {
          view.setBigUint64(8 * (place * set.ringDegree + i), BigInt(residue), true);
        });
      });
      template.loadFromArray(context, bytes);
      const decrypted = new seal.Plaintext();
      decryptor.decrypt(template, decrypted);
      const words = decrypted.saveToArray(none) as Uint8Array;
      const count = decrypted.coeffCount();
      const values = new DataView(words.buffer, words.byteOffset + words.length - 8 * count);
      return Int32Array.from({ length: set.ringDegree }, (_, i) => {
        const value = i < count ? values.getBigUint64(8 * i, true) : 0n;
        return Number(2n * value >= plainModulus ? value - plainModulus : value);
      });
    },
  };
}

export type SealReference = Awaited<ReturnType<typeof openSealReference>>;
