import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PNG } from 'pngjs';
import { readCtSlice } from '@cipherdose/sdk/dicom';
import { runNode } from '../support/run-node.ts';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'cipherdose-demo-'));
});
afterAll(() => rm(root, { recursive: true }));

test('the demo denoises real slices exactly, and much better than they were', async () => {
  const out = join(root, 'out');
  const { code, stdout, stderr } = await runNode('examples/dist/demo.js', [
    '--json',
    '--slices',
    '2',
    '--out',
    out,
  ]);
  expect([code, stderr]).toEqual([0, expect.stringContaining('every pixel is equal')]);
  const runs = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, number>);
  expect(runs).toMatchObject(
    [
      { model: 'linear', mode: 'linear' },
      { model: 'balanced', mode: 'interactive' },
    ].map((run) => ({ ...run, slices: 2, exact: true, maxAbsDiff: 0 })),
  );
  const gains = runs.map(({ psnrIn = 0, psnrOut = 0 }) => psnrOut - psnrIn);
  expect(gains[0]).toBeGreaterThan(1);
  expect(gains[1]).toBeGreaterThan(2);
  for (const run of runs) {
    expect(Object.keys(run)).toEqual(
      'model mode slices exact maxAbsDiff psnrIn psnrOut ssimIn ssimOut secondsPerSlice bytesUp bytesDown out'.split(
        ' ',
      ),
    );
    expect(run['ssimOut']).toBeGreaterThan(run['ssimIn'] as number);
    expect((run['bytesUp'] as number) + (run['bytesDown'] as number)).toBeLessThan(30e6);
    const folder = String(run['out']);
    const files = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.dcm'));
    expect(files).toHaveLength(2);
    const { header, seriesInstanceUid } = readCtSlice(await readFile(join(folder, files[0] as string)));
    expect(header).toMatchObject({ rows: 512, columns: 512, imageType: ['DERIVED', 'SECONDARY', 'AXIAL'] });
    expect(seriesInstanceUid).toMatch(/^2\.25\./);
  }
  const { width, height } = PNG.sync.read(await readFile(join(out, 'before-after.png')));
  expect([width, height]).toEqual([1028, 1028]);
});

test.each([
  [2, ['--mode', 'private'], "Unknown option '--mode'"],
  [2, ['--slices', '0'], '--slices is not a number from 1 on'],
  [1, ['--model', 'nonsense'], 'MODEL_UNKNOWN: The host has no such model'],
])('what cannot be ends the demo with %i, in a line: %j', async (code, words, text) => {
  const finished = await runNode('examples/dist/demo.js', words, { cwd: root });
  expect(finished.stderr).toContain(text);
  expect(finished.stderr).not.toMatch(/^ +at /m);
  expect(finished.code).toBe(code);
});
