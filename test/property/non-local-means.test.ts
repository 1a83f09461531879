import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  largestInverse,
  nonLocalMeans,
  type FeatureMap,
  type NonLocalMeansRule,
} from '@cipherdose/sdk/image';

/** As the definition has it: pixel by pixel, on integers of any size. */
function byDefinition({ image, deviation, guide }: Maps, rule: NonLocalMeansRule): number[] {
  const { channels, height, width } = image;
  const reach = (rule.search - 1) / 2;
  const half = (rule.patch - 1) / 2;
  const inside = (at: number, size: number): number => Math.max(0, Math.min(size - 1, at));
  const pixel = ({ data }: FeatureMap, channel: number, y: number, x: number): bigint =>
    BigInt(data[(channel * height + inside(y, height)) * width + inside(x, width)] as number);
  const result: number[] = [];
  for (let channel = 0; channel < channels; channel++)
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++) {
        const sigma = BigInt(Math.max(1, deviation.data[(channel * height + y) * width + x] as number));
        const quotient = BigInt(rule.multiplier) / sigma ** 2n;
        const inverse = quotient < BigInt(largestInverse) ? quotient : BigInt(largestInverse);
        let [sum, total] = [0n, 0n];
        for (let v = Math.max(0, y - reach); v <= Math.min(height - 1, y + reach); v++)
          for (let u = Math.max(0, x - reach); u <= Math.min(width - 1, x + reach); u++) {
            let distance = 0n;
            for (let dy = -half; dy <= half; dy++)
              for (let dx = -half; dx <= half; dx++)
                distance +=
                  (pixel(guide, channel, y + dy, x + dx) - pixel(guide, channel, v + dy, u + dx)) ** 2n;
            const place = Number((distance * inverse) >> BigInt(rule.shift));
            const weight = BigInt(rule.weights[place] ?? 0);
            sum += weight * pixel(image, channel, v, u);
            total += weight;
          }
        const doubled = 2n * sum * BigInt(rule.gain) + total;
        const floor = doubled / (2n * total) - (doubled < 0n && doubled % (2n * total) !== 0n ? 1n : 0n);
        result.push(Number(floor));
      }
  return result;
}

interface Maps {
  readonly image: FeatureMap;
  readonly deviation: FeatureMap;
  readonly guide: FeatureMap;
}

const maps: fc.Arbitrary<Maps> = fc
  .record({
    channels: fc.integer({ min: 1, max: 2 }),
    height: fc.integer({ min: 1, max: 7 }),
    width: fc.integer({ min: 1, max: 7 }),
  })
  .chain((size) => {
    const length = size.channels * size.height * size.width;
    const values = (least: number, most: number): fc.Arbitrary<FeatureMap> =>
      fc
        .array(fc.integer({ min: least, max: most }), { minLength: length, maxLength: length })
        .map((data) => ({ ...size, data: Int32Array.from(data) }));
    const image = fc.oneof(values(-8, 8), values(-1024, 3071));
    return fc.record({ image, deviation: fc.oneof(values(0, 40), values(0, 2 ** 17)), guide: image });
  });

const rules = fc.record({
  search: fc.constantFrom(1, 3, 5, 11),
  patch: fc.constantFrom(1, 3, 5),
  weights: fc
    .array(fc.integer({ min: 0, max: 1023 }), { maxLength: 40 })
    .map((weights) => [1 + (weights[0] ?? 0), ...weights]),
  multiplier: fc.integer({ min: 1, max: 2 ** 40 }),
  shift: fc.integer({ min: 0, max: 30 }),
  gain: fc.constantFrom(1, 8),
});

describe('non-local means', () => {
  test('in integers is what its definition gives', () => {
    fc.assert(
      fc.property(maps, rules, ({ image, deviation, guide }, rule) => {
        const { data, ...size } = nonLocalMeans(image, deviation, rule, guide);
        expect([...data]).toEqual(byDefinition({ image, deviation, guide }, rule));
        expect(size).toEqual({ channels: image.channels, height: image.height, width: image.width });
      }),
      { numRuns: 300 },
    );
  });

  test('never leaves the range of the image', () => {
    fc.assert(
      fc.property(maps, rules, ({ image, deviation, guide }, rule) => {
        const most = image.data.reduce((a, b) => Math.max(a, b)) * rule.gain;
        const least = image.data.reduce((a, b) => Math.min(a, b)) * rule.gain;
        for (const value of nonLocalMeans(image, deviation, rule, guide).data) {
          expect(value).toBeLessThanOrEqual(most);
          expect(value).toBeGreaterThanOrEqual(least);
        }
      }),
    );
  });

  test('without a guide, the image is its own', () => {
    fc.assert(
      fc.property(maps, rules, ({ image, deviation }, rule) => {
        const guided = nonLocalMeans(image, deviation, rule, image);
        expect(nonLocalMeans(image, deviation, rule)).toEqual(guided);
      }),
    );
  });

  test('averages where patches are alike, and not across an edge', () => {
    const [height, width] = [16, 16];
    const data = Int32Array.from(
      { length: height * width },
      (_, i) => (i % width < 8 ? 0 : 1000) + (i % 2 ? 5 : -5),
    );
    const image = { channels: 1, height, width, data };
    const deviation = { channels: 1, height, width, data: new Int32Array(height * width).fill(5) };
    const rule = { search: 11, patch: 5, weights: [1], multiplier: 25, shift: 12, gain: 1 };
    const left = nonLocalMeans(image, deviation, rule).data;
    for (let y = 0; y < height; y++)
      for (const x of [3, 12])
        expect(Math.abs((left[y * width + x] as number) - (x < 8 ? 0 : 1000))).toBeLessThanOrEqual(2);
  });
});
