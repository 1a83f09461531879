import { describe, expect, it } from '@jest/globals';
import type { ErrorCode } from '@cipherdose/sdk/errors';
import {
  checkFrame,
  decodeFrameHeader,
  encodeFrameHeader,
  frameHeaderBytes,
  type FrameHeader,
} from '@cipherdose/sdk/protocol';
import { refusal } from '../../support/refusal.ts';

const header: FrameHeader = {
  kind: 'request',
  parameterSetId: 2,
  digest: '0123456789abcdef'.repeat(4),
  layer: 3,
  channels: 32,
  mapHeight: 128,
  mapWidth: 129,
  firstTile: 4,
  tiles: 2,
  bodyBytes: 1000,
};

const encoded = (change: Partial<FrameHeader> = {}): Uint8Array => {
  const bytes = new Uint8Array(frameHeaderBytes + 1000);
  encodeFrameHeader({ ...header, ...change }, bytes);
  return bytes;
};

describe('frame header', () => {
  it('comes back as it was written', () => {
    expect(decodeFrameHeader(encoded(), 'request')).toEqual(header);
  });

  it('has the documented layout', () => {
    const bytes = encoded();
    expect(new TextDecoder().decode(bytes.subarray(0, 4))).toBe('CDOS');
    expect([...bytes.subarray(4, 8)]).toEqual([1, 0, 2, 0]);
    expect(Buffer.from(bytes.subarray(8, 40)).toString('hex')).toBe(header.digest);
    expect(new DataView(bytes.buffer).getUint32(60, true)).toBe(1000);
  });

  it.each<[ErrorCode, Uint8Array]>([
    ['FRAME_LENGTH', encoded().subarray(0, 63)],
    ['FRAME_MAGIC', encoded().fill(0, 0, 1)],
    ['FRAME_VERSION', encoded().fill(9, 4, 5)],
    ['FRAME_KIND', encoded({ kind: 'reply' })],
    ['FRAME_GEOMETRY', encoded({ tiles: 0 })],
    ['FRAME_GEOMETRY', encoded({ tiles: 9 })],
    ['FRAME_GEOMETRY', encoded({ mapWidth: 100_000 })],
    ['FRAME_GEOMETRY', encoded({ channels: 5000 })],
    ['FRAME_GEOMETRY', encoded().fill(1, 58, 59)],
  ])('refuses with %s', (code, bytes) => {
    expect(() => decodeFrameHeader(bytes, 'request')).toThrow(refusal(code));
  });

  it.each<[ErrorCode, Partial<FrameHeader>]>([
    ['FRAME_PARAMETERS', { parameterSetId: 1 }],
    ['FRAME_DIGEST', { digest: 'f'.repeat(64) }],
    ['FRAME_LAYER', { layer: 0 }],
    ['FRAME_GEOMETRY', { channels: 31 }],
    ['FRAME_GEOMETRY', { firstTile: 0 }],
    ['FRAME_LENGTH', { bodyBytes: 999 }],
  ])('compares with what is expected: %s', (code, change) => {
    const decoded = decodeFrameHeader(encoded(change), 'request');
    expect(() => checkFrame(decoded, header, frameHeaderBytes + 1000)).toThrow(refusal(code));
  });

  it('compares the length of the whole frame', () => {
    expect(() => checkFrame(header, header, frameHeaderBytes + 999)).toThrow(refusal('FRAME_LENGTH'));
    expect(() => checkFrame(header, header, frameHeaderBytes + 1000)).not.toThrow();
  });
});
