import {
  bitReversedPowers,
  inverseModulo,
  inverseModuloWord,
  leastPrimitiveRoot,
  productsPerFold,
  shoupQuotient,
} from './number-theory.ts';

/** What the kernel must know of one prime: the image of `PrimeTable` in assembly/modular.ts and its four root tables. */
export function primeTable(prime: number, ringDegree: number): Uint32Array {
  const p = BigInt(prime);
  const word = 2n ** 32n % p;
  const fraction = 2n ** 96n / p;
  const table = new Uint32Array(tableHeaderWords + 4 * ringDegree);
  table.set([
    prime,
    Number(inverseModuloWord(p)),
    Number(word),
    shoupQuotient(word, p),
    shoupQuotient(1n, p),
    productsPerFold(p),
    Number(BigInt.asUintN(32, fraction)),
    Number(BigInt.asUintN(32, fraction >> 32n)),
    Number(fraction >> 64n),
  ]);
  const root = leastPrimitiveRoot(2 * ringDegree, p);
  [root, inverseModulo(root, p)].forEach((base, i) => {
    const powers = bitReversedPowers(base, ringDegree, p);
    const start = tableHeaderWords + 2 * i * ringDegree;
    table.set(powers, start);
    table.set(
      powers.map((power) => shoupQuotient(BigInt(power), p)),
      start + ringDegree,
    );
  });
  return table;
}

const tableHeaderWords = 16;
