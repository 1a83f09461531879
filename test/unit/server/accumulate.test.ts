import { describe, expect, test } from '@jest/globals';
import { parameterSet } from '@cipherdose/sdk/protocol';
import { Kernel } from '#server/evaluator/kernel.js';
import { outputStride as strideOf } from '#server/evaluator/layer-geometry.js';
import { integers } from '../../support/arbitraries.ts';

const set = parameterSet('n4096-q60-t31');
const degree = set.ringDegree;
const outputStride = strideOf(set);

/** Runs the multiply-accumulate on values that `input` and `weight` give for vector 0, and compares it with BigInt. */
function check(
  channels: number,
  outs: number,
  tiles: number,
  input: (channel: number, polynomial: number, lane: number) => number,
  weight: (out: number, channel: number, lane: number) => number,
): void {
  const kernel = new Kernel();
  const { primes } = kernel.parameters(set);
  const { prime, table } = primes[0] as (typeof primes)[number];
  const p = BigInt(prime);
  const inputs = kernel.allocate(channels * tiles * 2 * 4 * degree);
  const weights = kernel.allocate(outs * channels * 4 * degree);
  const outputs = kernel.allocate(outs * tiles * 2 * outputStride);
  // Every vector is the same; the layout is [pair][vector][channel][4 or 2 polynomials][4].
  const inputWords = kernel.words(inputs.address, inputs.bytes / 4);
  let place = 0;
  for (let first = 0; first < 2 * tiles; first += 4) {
    const count = Math.min(4, 2 * tiles - first);
    const vector = Uint32Array.from({ length: channels * count * 4 }, (_, i) =>
      input(Math.floor(i / (4 * count)), first + (Math.floor(i / 4) % count), i % 4),
    );
    for (let i = 0; i < degree / 4; i++, place += vector.length) inputWords.set(vector, place);
  }
  const weightWords = kernel.words(weights.address, weights.bytes / 4);
  const weightVector = Uint32Array.from({ length: outs * channels * 4 }, (_, i) => {
    const factor = weight(Math.floor(i / (4 * channels)), Math.floor(i / 4) % channels, i % 4);
    return Number((BigInt(factor) << 32n) % p);
  });
  for (let i = 0; i < degree / 4; i++) weightWords.set(weightVector, i * weightVector.length);

  kernel.call.accumulate(inputs.address, weights.address, outputs.address, channels, outs, tiles, table);

  for (let out = 0; out < outs; out++)
    for (let polynomial = 0; polynomial < 2 * tiles; polynomial++) {
      const expected = [0, 1, 2, 3].map((lane) => {
        let sum = 0n;
        for (let channel = 0; channel < channels; channel++)
          sum += BigInt(input(channel, polynomial, lane)) * BigInt(weight(out, channel, lane));
        return Number(sum % p);
      });
      const got = kernel.words(outputs.address + (out * tiles * 2 + polynomial) * outputStride, degree);
      for (const vector of [0, 1, 511, 1023])
        expect([...got.subarray(4 * vector, 4 * vector + 4)]).toEqual(expected);
    }
}

describe('multiply-accumulate', () => {
  const prime = set.primes[0] as number;

  test.each([1, 2, 3, 5, 11, 15, 16, 17, 31, 32, 33, 100])('%d channels', (channels) => {
    const next = integers(channels);
    const values = Array.from({ length: 8 * channels }, () => next(0, prime - 1));
    const factors = Array.from({ length: 8 * channels }, () => next(0, prime - 1));
    check(
      channels,
      2,
      1,
      (channel, polynomial, lane) => values[8 * channel + ((polynomial * 4 + lane) % 8)] as number,
      (out, channel, lane) => factors[8 * channel + ((out * 4 + lane) % 8)] as number,
    );
  });

  test.each([1, 2, 3, 4, 5, 6, 7, 8])('%d tiles', (tiles) => {
    check(
      3,
      2,
      tiles,
      (channel, polynomial, lane) => 1000 * channel + 10 * polynomial + lane,
      (out, channel, lane) => prime - 1 - out - 2 * channel - 4 * lane,
    );
  });

  test('the largest residues in 512 channels do not overflow', () => {
    // The factor whose Montgomery form is p - 1.
    const inverse = Number(
      Array.from({ length: 32 }).reduce<bigint>(
        (value) => (value % 2n === 0n ? value : value + BigInt(prime)) / 2n,
        BigInt(prime) - 1n,
      ),
    );
    check(
      512,
      1,
      2,
      () => prime - 1,
      () => inverse,
    );
  });
});
