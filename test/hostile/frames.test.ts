import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { DenoiseError, type ErrorCode } from '@cipherdose/sdk/errors';
import { layerExchange, planTiling } from '@cipherdose/sdk/packing';
import {
  encodeFrameHeader,
  frameHeaderBytes,
  packedBytes,
  parameterSet,
  requestCiphertextBytes,
  residueBits,
  type FrameHeader,
  type LinearNode,
} from '@cipherdose/sdk/protocol';
import { evaluateFrame } from '#server/evaluator/evaluate-frame.js';
import { evaluationContext, oneLayerNetwork, randomWeights } from '../support/encrypted-layers.ts';
import { linearNode } from '../support/linear-node.ts';

const set = parameterSet('n4096-q60-t28');
const node = linearNode({ inChannels: 2, outChannels: 2, kernel: [3, 3] });
const map = { height: 128, width: 128 };
const tiling = planTiling(node, map.height, map.width, set);
const network = oneLayerNetwork(node, set, randomWeights(node, 100, 100, 1));
const context = evaluationContext(network);
const { request } = layerExchange(network.plan.digest, node, set, map, tiling, { firstTile: 1, tiles: 2 });
const ciphertextBytes = requestCiphertextBytes(set);

/** A frame of zeros: every residue is in range. */
function honestFrame(changes: Partial<FrameHeader> = {}, length = frameHeaderBytes + request.bodyBytes) {
  const frame = new Uint8Array(length);
  encodeFrameHeader({ kind: 'request', ...request, ...changes }, frame);
  return frame;
}

function codeOf(frame: Uint8Array): ErrorCode | 'none' {
  try {
    evaluateFrame(context, frame);
    return 'none';
  } catch (error) {
    if (error instanceof DenoiseError) return error.code;
    throw error;
  }
}

const withByte = (index: number, value: number): Uint8Array => {
  const frame = honestFrame();
  frame[index] = value;
  return frame;
};

describe('hostile frames', () => {
  test('the honest frame is answered', () => {
    expect(codeOf(honestFrame())).toBe('none');
  });

  test.each<[string, () => Uint8Array, ErrorCode]>([
    ['nothing', () => new Uint8Array(), 'FRAME_LENGTH'],
    ['half a header', () => honestFrame().subarray(0, 40), 'FRAME_LENGTH'],
    ['a header alone', () => honestFrame().subarray(0, frameHeaderBytes), 'FRAME_LENGTH'],
    ['one byte short', () => honestFrame().subarray(0, -1), 'FRAME_LENGTH'],
    ['one byte long', () => honestFrame({}, frameHeaderBytes + request.bodyBytes + 1), 'FRAME_LENGTH'],
    [
      'a body of another length, honestly declared',
      () =>
        honestFrame(
          { bodyBytes: request.bodyBytes - ciphertextBytes },
          frameHeaderBytes + request.bodyBytes - ciphertextBytes,
        ),
      'FRAME_LENGTH',
    ],
    ['4 GiB declared', () => honestFrame({ bodyBytes: 2 ** 32 - 1 }), 'FRAME_LENGTH'],
    ['wrong magic', () => withByte(0, 0), 'FRAME_MAGIC'],
    ['wrong version', () => withByte(4, 2), 'FRAME_VERSION'],
    ['a reply', () => honestFrame({ kind: 'reply' }), 'FRAME_KIND'],
    ['no kind at all', () => withByte(5, 77), 'FRAME_KIND'],
    ['reserved bits', () => withByte(58, 1), 'FRAME_GEOMETRY'],
    ['another parameter set', () => honestFrame({ parameterSetId: 2 }), 'FRAME_PARAMETERS'],
    ['an unknown parameter set', () => honestFrame({ parameterSetId: 999 }), 'FRAME_PARAMETERS'],
    ['another digest', () => honestFrame({ digest: 'f'.repeat(64) }), 'FRAME_DIGEST'],
    ['another layer', () => honestFrame({ layer: 1 }), 'FRAME_LAYER'],
    ['other channels', () => honestFrame({ channels: 3 }), 'FRAME_GEOMETRY'],
    ['no tiles', () => honestFrame({ tiles: 0 }), 'FRAME_GEOMETRY'],
    ['more tiles than a request may have', () => honestFrame({ tiles: 9 }), 'FRAME_GEOMETRY'],
    ['more tiles than the layer has', () => honestFrame({ firstTile: tiling.tiles - 1 }), 'FRAME_GEOMETRY'],
    ['a first tile that overflows', () => honestFrame({ firstTile: 2 ** 32 - 1 }), 'FRAME_GEOMETRY'],
    ['an empty map', () => honestFrame({ mapHeight: 0 }), 'FRAME_GEOMETRY'],
    ['an absurd map', () => honestFrame({ mapWidth: 2 ** 31 }), 'FRAME_GEOMETRY'],
    ['fewer tiles than the body has', () => honestFrame({ tiles: 1 }), 'FRAME_LENGTH'],
  ])('%s', (_, frame, code) => {
    expect(codeOf(frame())).toBe(code);
  });

  test('a layer that the model does not have', () => {
    expect(() => evaluateFrame({ ...context, layer: 1 }, honestFrame())).toThrow(
      expect.objectContaining({ code: 'LAYER_UNKNOWN' }),
    );
  });

  test('a map that the kernel does not fit into', () => {
    const wide = {
      ...node,
      kernel: [31, 31] as [number, number],
      padding: [0, 0, 0, 0] as LinearNode['padding'],
    };
    const other = oneLayerNetwork(wide, set, randomWeights(wide, 1, 1, 1));
    const frame = honestFrame({ digest: other.plan.digest, mapHeight: 30 });
    expect(() => evaluateFrame({ ...context, network: other }, frame)).toThrow(
      expect.objectContaining({ code: 'FRAME_GEOMETRY' }),
    );
  });

  test('every residue is checked: the first one at or above its prime is named', () => {
    const bits = residueBits(set);
    for (const [place, prime, coefficient] of [
      [0, 0, 0],
      [1, 1, 4095],
      [3, 0, 2047],
      [3, 1, 4095],
    ] as const) {
      const frame = honestFrame();
      const start = frameHeaderBytes + place * ciphertextBytes + prime * packedBytes(set.ringDegree, bits);
      const modulus = set.primes[prime] as number;
      writeResidue(frame, start, coefficient, bits, modulus - 1);
      expect(codeOf(frame)).toBe('none');
      writeResidue(frame, start, coefficient, bits, modulus);
      expect(() => evaluateFrame(context, frame)).toThrow(
        expect.objectContaining({
          code: 'FRAME_RESIDUE',
          details: { tile: Math.floor(place / 2), channel: place % 2, prime: modulus, coefficient },
        }),
      );
    }
  });

  test('mutated frames are answered or refused with a code, and the memory stays where it was', () => {
    const { kernel } = context;
    const memory = () => ({ used: kernel.usedBytes, size: kernel.memoryBytes });
    const mutation = fc.record({ at: fc.nat(honestFrame().length - 1), value: fc.nat(255) });
    const nearHeader = fc.record({ at: fc.nat(frameHeaderBytes - 1), value: fc.nat(255) });
    const refused = new Set<string>();
    const throwAll = (seed: number): void =>
      fc.assert(
        fc.property(
          fc.array(fc.oneof(mutation, nearHeader), { maxLength: 4 }),
          fc.option(fc.nat(honestFrame().length)),
          (mutations, cut) => {
            const frame = honestFrame();
            for (const { at, value } of mutations) frame[at] = value;
            refused.add(codeOf(cut === null ? frame : frame.subarray(0, cut)));
          },
        ),
        { numRuns: 200, seed },
      );
    const seed = fc.sample(fc.integer(), 1)[0] as number;
    throwAll(seed);
    expect(refused.size).toBeGreaterThan(3);
    // A width that happens to be valid has its weights prepared, once.
    const before = memory();
    throwAll(seed);
    expect(memory()).toEqual(before);
  });

  test('an honest frame is still answered as before', () => {
    const reply = evaluateFrame(context, honestFrame());
    expect(reply).toEqual(evaluateFrame(evaluationContext(network), honestFrame()));
  });
});

/** Writes one residue of a packed polynomial of zeros. */
function writeResidue(frame: Uint8Array, start: number, index: number, bits: number, value: number): void {
  const bit = index * bits;
  const first = start + Math.floor(bit / 8);
  let held = BigInt(value) << BigInt(bit % 8);
  for (let i = 0; i < 5; i++, held >>= 8n) {
    const keep = bits + (bit % 8) > 8 * i ? Number(held & 0xffn) : (frame[first + i] as number);
    frame[first + i] = keep;
  }
}
