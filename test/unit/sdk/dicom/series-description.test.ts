import { describe, expect, it } from '@jest/globals';
import { withSuffix } from '#sdk/dicom/series-description.js';

const bytes = (text: string, encoding: BufferEncoding = 'latin1') =>
  new Uint8Array(Buffer.from(text, encoding));
const append = (value: Uint8Array, ...characterSets: string[]) =>
  Buffer.from(withSuffix(value, ' [x]', characterSets));

describe('withSuffix', () => {
  it('appends to the text without its fill', () => {
    expect(append(bytes('Chest ')).toString()).toBe('Chest [x]');
    expect(append(bytes('')).toString()).toBe(' [x]');
  });

  it('cuts at 64 characters of one byte', () => {
    expect(append(bytes('a'.repeat(70))).toString()).toBe(`${'a'.repeat(60)} [x]`);
    expect(append(bytes('é'.repeat(70)), 'ISO_IR 100').toString('latin1')).toBe(`${'é'.repeat(60)} [x]`);
  });

  it('counts characters, not bytes, in UTF-8', () => {
    expect(append(bytes('肺'.repeat(40), 'utf8'), 'ISO_IR 192').toString()).toBe(`${'肺'.repeat(40)} [x]`);
    expect(append(bytes('肺'.repeat(70), 'utf8'), 'ISO_IR 192').toString()).toBe(`${'肺'.repeat(60)} [x]`);
  });

  it('never cuts inside a character of the other sets', () => {
    const shifted = bytes(`Thorax ${'\x1b$B%H'.repeat(20)}`);
    expect(append(shifted, '', 'ISO 2022 IR 87').toString()).toBe('Thorax  [x]');
    expect(append(bytes('\x1b$B%H\x1b(B'), '', 'ISO 2022 IR 87').toString('latin1')).toBe(
      '\x1b$B%H\x1b(B [x]',
    );
  });
});
