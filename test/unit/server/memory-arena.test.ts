import { describe, expect, test } from '@jest/globals';
import { MemoryArena } from '#server/evaluator/memory-arena.js';

describe('memory arena', () => {
  test('regions are aligned, apart, and reused after release', () => {
    const ends: number[] = [];
    const arena = new MemoryArena(10, (end) => ends.push(end));
    const [a, b, c] = [arena.allocate(100), arena.allocate(64), arena.allocate(1)];
    expect([a.address, b.address, c.address]).toEqual([64, 192, 256]);
    expect(arena.usedBytes).toBe(128 + 64 + 64);
    arena.release(b);
    expect(arena.allocate(65).address).toBe(320);
    expect(arena.allocate(64).address).toBe(192);
    expect(Math.max(...ends)).toBe(448);
    arena.release(a);
    expect(arena.allocate(128).address).toBe(64);
  });

  test('releasing twice is harmless', () => {
    const arena = new MemoryArena(0, () => undefined);
    const region = arena.allocate(64);
    arena.release(region);
    arena.release(region);
    expect(arena.usedBytes).toBe(0);
  });
});
