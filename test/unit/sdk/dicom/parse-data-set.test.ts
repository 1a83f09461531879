import { describe, expect, it } from '@jest/globals';
import { encodeDataSet } from '#sdk/dicom/encode-data-set.js';
import { parseDataSet } from '#sdk/dicom/parse-data-set.js';
import { denoiseErrorOf } from '../../../support/rejections.ts';

const explicit = { explicit: true, littleEndian: true };
const implicit = { explicit: false, littleEndian: true };
const bytes = (hex: string) => new Uint8Array(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
const parse = (hex: string, encoding = explicit) => parseDataSet(bytes(hex), 0, encoding).dataSet;
const reason = (hex: string, encoding = explicit) => denoiseErrorOf(() => parse(hex, encoding))['reason'];

const rows = '2800 1000 5553 0200 0002'; // (0028,0010) US 512
const open = 'ffffffff';
const item = 'feff 00e0';
const itemEnd = 'feff 0de0 00000000';
const sequenceEnd = 'feff dde0 00000000';
const sequence = '0800 4011 5351 0000'; // (0008,1140) SQ
const plain = '0800 6000 4353 0200 4354'; // (0008,0060) CS CT

describe('parseDataSet', () => {
  it('reads nested sequences with and without lengths alike', () => {
    const closed = parse(`${sequence} 12000000 ${item} 0a000000 ${plain} ${rows}`);
    expect(parse(`${sequence} ${open} ${item} ${open} ${plain} ${itemEnd} ${sequenceEnd} ${rows}`)).toEqual(
      closed,
    );
    expect([...(closed.get(0x00081140)?.items?.[0]?.keys() ?? [])]).toEqual([0x00080060]);
  });

  it('finds value representations of implicit elements, and writes them', () => {
    const dataSet = parse(
      '0800 6000 02000000 4354 2800 1000 02000000 0002 2800 2001 02000000 30f8',
      implicit,
    );
    expect([...dataSet.values()].map(({ vr }) => vr)).toEqual(['CS', 'US', 'xs']);
    const padding = (signed: boolean) =>
      Buffer.from(encodeDataSet(dataSet, signed)).subarray(-10).toString('hex');
    expect(padding(true)).toBe('28002001535302' + '0030f8');
    expect(padding(false)).toBe('28002001555302' + '0030f8');
  });

  it('reads an unknown value without length as an implicit sequence', () => {
    const dataSet = parse(
      `0800 4011 554e 0000 ${open} ${item} 0a000000 0800 6000 02000000 4354 ${sequenceEnd}`,
    );
    expect(dataSet.get(0x00081140)).toMatchObject({ vr: 'SQ' });
    expect(dataSet.get(0x00081140)?.items?.[0]?.get(0x00080060)?.vr).toBe('CS');
  });

  it('swaps big endian numbers and no text', () => {
    const dataSet = parse('0008 0060 4353 0002 4354 0028 0010 5553 0002 0200', {
      explicit: true,
      littleEndian: false,
    });
    expect([...dataSet.values()].map(({ value }) => Buffer.from(value).toString('hex'))).toEqual([
      '4354',
      '0002',
    ]);
  });

  it.each([
    ['truncated', rows.slice(0, -2)],
    ['truncated', '2800 1000 55'],
    ['truncated', `${sequence} ${open} ${item} ${open} ${plain}`],
    ['truncated', `${sequence} 08000000 ${item} 0a000000 ${plain}`],
    ['item', `${sequence} 0a000000 ${plain}`],
    ['duplicate', `${rows} ${rows}`],
    ['delimiter', itemEnd],
    ['value representation', '2800 1000 5858 0200 0002'],
    ['length', `0800 6000 4f42 0000 ${open}`],
    ['fragment', `e07f 1000 4f42 0000 ${open} ${item} 08000000 00`],
    ['nesting', `${sequence} ${open} ${item} ${open} `.repeat(20)],
  ])('refuses: %s', (expected, hex) => {
    expect(reason(hex)).toBe(expected);
  });
});

describe('encodeDataSet', () => {
  it('sorts, fills odd values and writes too long ones as unknown', () => {
    const dataSet = new Map([
      [0x00280010, { vr: 'US', value: bytes('0002') }],
      [0x00080060, { vr: 'CS', value: bytes('434454') }],
    ]);
    expect(Buffer.from(encodeDataSet(dataSet, false)).toString('hex')).toBe(
      '08006000' + '4353' + '0400' + '43445420' + '28001000' + '5553' + '0200' + '0002',
    );
    const long = encodeDataSet(new Map([[0x00080060, { vr: 'LO', value: new Uint8Array(70_000) }]]), false);
    expect(Buffer.from(long.subarray(0, 12)).toString('hex')).toBe('08006000' + '554e' + '0000' + '70110100');
  });
});
