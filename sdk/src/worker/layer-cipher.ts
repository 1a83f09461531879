import type { SealCipher } from '../he/index.ts';
import {
  checkFrame,
  decodeFrameHeader,
  encodeFrameHeader,
  frameHeaderBytes,
  replyCiphertextBytes,
} from '../protocol/index.ts';
import { frameBytes, outputIndices, outputsPerTile, writeTile } from '../packing/index.ts';
import type { DecryptJob, EncryptJob } from './jobs.ts';

/** Encrypts every tile and channel of a tile group into one request frame. */
export function encryptGroup(cipher: SealCipher, job: EncryptJob): Uint8Array<ArrayBuffer> {
  const { node, tiling, group, map, expectation } = job;
  const frame = new Uint8Array(frameBytes(expectation));
  encodeFrameHeader({ kind: 'request', ...expectation }, frame);
  let offset = frameHeaderBytes;
  for (let tile = group.firstTile; tile < group.firstTile + group.tiles; tile++)
    for (let channel = 0; channel < map.channels; channel++) {
      writeTile(map, channel, tile, tiling, node, cipher.coefficients);
      offset = cipher.encrypt(frame, offset);
    }
  return frame;
}

/**
 * Decrypts a reply frame.
 * @returns accumulators [tile][channel][output], outputs row-major
 * @throws FRAME_* if the frame is not the reply that was asked for
 */
export function decryptGroup(cipher: SealCipher, job: DecryptJob): Int32Array<ArrayBuffer> {
  const { node, tiling, group, frame, expectation } = job;
  checkFrame(decodeFrameHeader(frame, 'reply'), expectation, frame.length);
  const outputs = outputsPerTile(tiling);
  const indices = outputIndices(tiling, node);
  const ciphertextBytes = replyCiphertextBytes(cipher.set, outputs);
  const accumulators = new Int32Array(group.tiles * node.outChannels * outputs);
  for (let i = 0; i < group.tiles * node.outChannels; i++) {
    const target = accumulators.subarray(i * outputs, (i + 1) * outputs);
    cipher.decrypt(frame, frameHeaderBytes + i * ciphertextBytes, indices, target);
  }
  return accumulators;
}
