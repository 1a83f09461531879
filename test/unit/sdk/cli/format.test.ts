import { describe, expect, it } from '@jest/globals';
import { count, formatBytes, formatSeconds, formatTable } from '#sdk/cli/format.js';

describe('what people read', () => {
  it('counts bytes in kilobytes and megabytes', () => {
    expect([0, 950, 999_949, 1e6, 23_456_789].map(formatBytes)).toEqual([
      '0.0 kB',
      '0.9 kB',
      '999.9 kB',
      '1.0 MB',
      '23.5 MB',
    ]);
  });

  it('rounds time up, and never below zero', () => {
    expect([-3, 0.2, 59, 60, 185, 3600, 7440].map(formatSeconds)).toEqual([
      '0 s',
      '1 s',
      '59 s',
      '1 min 00 s',
      '3 min 05 s',
      '1 h 00 min',
      '2 h 04 min',
    ]);
  });

  it('counts things', () => {
    expect([count(1, 'slice'), count(2, 'slice')]).toEqual(['1 slice', '2 slices']);
  });

  it('aligns columns', () => {
    expect(
      formatTable([
        ['a', 'bb', 'c'],
        ['aaa', 'b', ''],
      ]),
    ).toEqual(['a    bb  c', 'aaa  b']);
    expect(formatTable([])).toEqual([]);
  });
});
