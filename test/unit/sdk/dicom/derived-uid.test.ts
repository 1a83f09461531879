import { createHash } from 'node:crypto';
import { expect, it } from '@jest/globals';
import { derivedUid } from '#sdk/dicom/derived-uid.js';

it('is 2.25. and the UUIDv8 of the SHA-256 of its parts', () => {
  const uuid = createHash('sha256').update('cipherdose\0series\0m\x001\x002.25.7').digest().subarray(0, 16);
  uuid.writeUInt8((uuid.readUInt8(6) & 0x0f) | 0x80, 6);
  uuid.writeUInt8((uuid.readUInt8(8) & 0x3f) | 0x80, 8);
  expect(derivedUid('series', 'm', '1', '2.25.7')).toBe(`2.25.${BigInt(`0x${uuid.toString('hex')}`)}`);
});

it('depends on every part and on the kind', () => {
  const uids = [
    derivedUid('series', 'm', '1', '2.25.7'),
    derivedUid('instance', 'm', '1', '2.25.7'),
    derivedUid('series', 'm1', '', '2.25.7'),
    derivedUid('series', 'm', '1', '2.25.8'),
  ];
  expect(new Set(uids).size).toBe(4);
});
