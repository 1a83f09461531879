import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { emptyMap } from '@cipherdose/sdk/image';
import {
  kernelIndex,
  outputIndices,
  outputsPerTile,
  planTiling,
  readTile,
  tileGroups,
  writeTile,
} from '@cipherdose/sdk/packing';
import { limits, parameterSet, type LinearNode } from '@cipherdose/sdk/protocol';
import { convolution, convolveByDefinition, integers, randomMap } from '../support/arbitraries.ts';
import { refusal } from '../support/refusal.ts';

const set = parameterSet('n4096-q60-t31');

/** Product modulo X^N + 1 of a tile and a sparse kernel polynomial. */
function multiply(tile: Int32Array, kernel: ReadonlyMap<number, number>): Float64Array {
  const product = new Float64Array(tile.length);
  for (const [shift, weight] of kernel)
    for (let i = 0; i < tile.length; i++) {
      const at = i + shift;
      if (at < tile.length) product[at] = (product[at] as number) + weight * (tile[i] as number);
      else product[at - tile.length] = (product[at - tile.length] as number) - weight * (tile[i] as number);
    }
  return product;
}

describe('coefficient packing', () => {
  it('gives the convolution for every kernel, stride, padding and size', () => {
    fc.assert(
      fc.property(convolution({ maxSide: 150, maxChannels: 1 }), ({ node, height, width, seed }) => {
        const map = randomMap(1, height, width, 1000, seed);
        const next = integers(seed + 1);
        const weights = Array.from({ length: node.kernel[0] * node.kernel[1] }, () => next(-100, 100));
        const tiling = planTiling(node, height, width, set);
        const kernel = new Map<number, number>();
        weights.forEach((weight, i) => {
          const index = kernelIndex(tiling, node, Math.floor(i / node.kernel[1]), i % node.kernel[1]);
          kernel.set(index, weight);
        });
        const output = emptyMap(1, tiling.outHeight, tiling.outWidth);
        const coefficients = new Int32Array(set.ringDegree);
        const indices = outputIndices(tiling, node);
        for (let tile = 0; tile < tiling.tiles; tile++) {
          writeTile(map, 0, tile, tiling, node, coefficients);
          const product = multiply(coefficients, kernel);
          const values = Int32Array.from(indices, (index) => product[index] as number);
          readTile(values, 0, tile, tiling, output);
        }
        expect(output).toEqual(convolveByDefinition(map, node, weights, [0]));
      }),
      { numRuns: 150 },
    );
  });

  it('keeps every tile inside the ring and every output on its own coefficient', () => {
    fc.assert(
      fc.property(convolution({ maxSide: 600, maxChannels: 64 }), ({ node, height, width }) => {
        const tiling = planTiling(node, height, width, set);
        const last = (tiling.windowRows - 1) * tiling.pitch + tiling.windowColumns - 1;
        expect(last).toBeLessThan(set.ringDegree);
        const indices = outputIndices(tiling, node);
        expect(new Set(indices).size).toBe(outputsPerTile(tiling));
        expect(Math.max(...indices)).toBeLessThanOrEqual(last);
        expect(tiling.tilesDown * tiling.tileRows).toBeGreaterThanOrEqual(tiling.outHeight);
        expect(tiling.tilesAcross * tiling.tileColumns).toBeGreaterThanOrEqual(tiling.outWidth);
      }),
      { numRuns: 300 },
    );
  });

  it('cuts tiles into groups that cover each tile once', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 400 }),
        fc.integer({ min: 1, max: limits.tilesPerRequest }),
        (tiles, most) => {
          const groups = tileGroups({ tiles } as Parameters<typeof tileGroups>[0], most);
          const covered = groups.flatMap((group) =>
            Array.from({ length: group.tiles }, (_, i) => group.firstTile + i),
          );
          expect(covered).toEqual(Array.from({ length: tiles }, (_, i) => i));
          expect(groups.every((group) => group.tiles >= 1 && group.tiles <= most)).toBe(true);
        },
      ),
    );
  });

  it('needs 5 tiles for a 5x5 "same" convolution of a 128x128 map', () => {
    const node = { kernel: [5, 5], stride: [1, 1], padding: [2, 2, 2, 2], inChannels: 32, outChannels: 32 };
    expect(planTiling(node as unknown as LinearNode, 128, 128, set)).toMatchObject({ tiles: 5, pitch: 130 });
  });

  it('refuses a kernel that does not fit', () => {
    const node = { kernel: [9, 9], stride: [1, 1], padding: [0, 0, 0, 0], inChannels: 1, outChannels: 1 };
    expect(() => planTiling(node as unknown as LinearNode, 8, 20, set)).toThrow(refusal('PLAN_LIMIT'));
  });
});
