import { describe, expect, it } from '@jest/globals';
import { PassThrough } from 'node:stream';
import type { DenoiseProgress } from '@cipherdose/sdk';
import { progressDisplay } from '#sdk/cli/progress-bar.js';

const step = (changes: Partial<DenoiseProgress>): DenoiseProgress => ({
  phase: 'done',
  slice: 0,
  layer: 2,
  layers: 3,
  tilesDone: 10,
  tiles: 40,
  slicesDone: 1,
  slices: 4,
  bytesUp: 14_000_000,
  bytesDown: 9_000_000,
  secondsLeft: 12.2,
  ...changes,
});

function terminal(isTTY: boolean): {
  stream: NodeJS.WritableStream & { isTTY: boolean };
  text: () => string;
} {
  const stream = Object.assign(new PassThrough({ encoding: 'utf8' }), {
    isTTY,
    columns: 200,
    cursorTo: () => true,
    clearLine: () => true,
    moveCursor: () => true,
  });
  return { stream, text: () => String(stream.read() ?? '') };
}

describe('progressDisplay', () => {
  it('writes plain lines where there is no terminal: the first, and the last', () => {
    const { stream, text } = terminal(false);
    const display = progressDisplay('balanced', stream);
    display.update(step({ phase: 'encrypt', slicesDone: 0 }));
    display.update(step({}));
    display.update(step({ slicesDone: 2 }));
    display.update(step({ slicesDone: 4, tilesDone: 40, secondsLeft: 0 }));
    display.stop();
    expect(text()).toBe(
      'balanced: 1/4 slices | 14.0 MB up, 9.0 MB down | 13 s left\n' +
        'balanced: 4/4 slices | 14.0 MB up, 9.0 MB down | 0 s left\n',
    );
  });

  it('says no time left before anything was measured', () => {
    const { stream, text } = terminal(false);
    progressDisplay('linear', stream).update(step({ secondsLeft: undefined }));
    expect(text()).toBe('linear: 1/4 slices | 14.0 MB up, 9.0 MB down\n');
  });

  it('draws a bar on a terminal', () => {
    const { stream, text } = terminal(true);
    const display = progressDisplay('balanced', stream);
    display.update(step({ tilesDone: 20 }));
    display.stop();
    expect(text()).toMatch(/balanced .* 50% \| 1\/4 slices \| 14\.0 MB up, 9\.0 MB down \| 13 s left/);
  });

  it('may be stopped before it started', () => {
    const { stream, text } = terminal(true);
    progressDisplay('balanced', stream).stop();
    expect(text()).toBe('');
  });
});
