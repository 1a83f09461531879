import { afterAll, beforeAll, describe, expect, it, test } from '@jest/globals';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startHost } from '@cipherdose/server';
import type { HuImage } from '@cipherdose/sdk';
import { readCtSlice } from '@cipherdose/sdk/dicom';
import { quality } from '@cipherdose/sdk/image';
import type { AssessmentReport } from '#sdk/cli/assess.js';
import { shippedModel } from '#sdk/cli/shipped-models.js';
import { makeCtDicom } from '../support/make-ct.ts';
import { lastLine, runNode } from '../support/run-node.ts';

const side = 64;
const cli = (...words: string[]) => runNode('sdk/dist/cli/main.js', words);
const series = new URL('../../examples/sample-series/', import.meta.url);

/** The middle of one slice of the sample series. */
async function crop(dose: 'low-dose' | 'normal-dose', name: string): Promise<HuImage> {
  const { image } = readCtSlice(await readFile(new URL(`${dose}/${name}`, series)));
  const hu = new Int16Array(side * side);
  for (let y = 0; y < side; y++)
    hu.set(image.hu.subarray((y + 200) * image.width + 200, (y + 200) * image.width + 200 + side), y * side);
  return { width: side, height: side, hu };
}

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'cipherdose-shipped-'));
});
afterAll(() => rm(root, { recursive: true }));

test.each([
  ['linear', 'linear'],
  ['fast', 'interactive'],
  ['balanced', 'interactive'],
  ['best', 'interactive'],
  ['private', 'private'],
])('%s denoises exactly as in the clear, without a server', async (model, mode) => {
  const folder = join(root, model);
  await mkdir(folder);
  const image = await crop('low-dose', '005.dcm');
  await writeFile(join(folder, '1.dcm'), makeCtDicom({ rows: side, columns: side, hu: image.hu }));
  const out = join(folder, 'out');
  const { code, stdout, stderr } = await cli('denoise', folder, '--out', out, '--model', model, '--json');
  expect([code, stderr]).toEqual([0, expect.stringContaining('1/1 slices')]);
  expect(lastLine(stdout)).toMatchObject({
    model,
    mode,
    slices: { done: 1, failed: 0 },
    failures: [],
  });
  const [output] = (await readdir(out, { recursive: true })).filter((name) => name.endsWith('.dcm'));
  const denoised = readCtSlice(await readFile(join(out, output as string))).image;
  expect(denoised.hu).toEqual((await shippedModel(model))(image).hu);
});

describe('cipherdose doctor', () => {
  it('finds a machine with the shipped models in order', async () => {
    const { code, stdout } = await cli('doctor', '--json');
    const { ok, checks } = lastLine(stdout) as { ok: boolean; checks: unknown[] };
    expect([code, ok]).toEqual([0, true]);
    const detail = 'every pixel as in the clear';
    for (const model of ['linear', 'fast', 'balanced', 'best', 'private'])
      expect(checks).toContainEqual({ name: `known answer: ${model}`, status: 'ok', detail });
  });
});

describe('cipherdose evaluate', () => {
  const names = ['004.dcm', '006.dcm', '008.dcm'];
  const volume = async (dose: 'low-dose' | 'normal-dose'): Promise<string> => {
    const file = join(root, `${dose}.i16`);
    const planes = await Promise.all(names.map((name) => crop(dose, name)));
    await writeFile(file, Buffer.concat(planes.map(({ hu }) => new Uint8Array(hu.buffer))));
    return file;
  };

  it('gives the means of the slices', async () => {
    const files = ['--low', await volume('low-dose'), '--reference', await volume('normal-dose')];
    const shape = ['--shape', `${names.length},${side},${side}`];
    const { code, stdout, stderr } = await cli('evaluate', ...files, ...shape, '--model', 'linear', '--json');
    expect(code).toBe(0);
    expect(stderr).toMatch(/^PSNR .*\nSSIM .*\nRMSE .*\n$/);
    const denoise = await shippedModel('linear');
    const figures = { psnrIn: 0, psnrOut: 0, ssimIn: 0, ssimOut: 0, rmseIn: 0, rmseOut: 0 };
    for (const name of names) {
      const [low, reference] = [await crop('low-dose', name), await crop('normal-dose', name)];
      const [before, after] = [quality(low, reference), quality(denoise(low), reference)];
      figures.psnrIn += before.psnr / names.length;
      figures.psnrOut += after.psnr / names.length;
      figures.ssimIn += before.ssim / names.length;
      figures.ssimOut += after.ssim / names.length;
      figures.rmseIn += before.rmse / names.length;
      figures.rmseOut += after.rmse / names.length;
    }
    const seen = lastLine(stdout) as typeof figures;
    expect(Object.keys(seen)).toEqual(Object.keys(figures));
    for (const [name, value] of Object.entries(figures))
      expect(seen[name as keyof typeof figures]).toBeCloseTo(value, 9);
    expect(seen.psnrOut).toBeGreaterThan(seen.psnrIn);
  });

  it('measures what a strength leaves of the result', async () => {
    const files = ['--low', await volume('low-dose'), '--reference', await volume('normal-dose')];
    const words = ['--shape', `${names.length},${side},${side}`, '--model', 'linear', '--strength', '40'];
    const { code, stdout } = await cli('evaluate', ...files, ...words, '--json');
    expect(code).toBe(0);
    const denoise = await shippedModel('linear');
    let psnr = 0;
    for (const name of names) {
      const [low, reference] = [await crop('low-dose', name), await crop('normal-dose', name)];
      const full = denoise(low);
      const mixed = low.hu.map(
        (from, i) => from + Math.floor((40 * ((full.hu[i] as number) - from) + 50) / 100),
      );
      psnr += quality({ ...low, hu: mixed }, reference).psnr / names.length;
    }
    expect((lastLine(stdout) as { psnrOut: number }).psnrOut).toBeCloseTo(psnr, 9);
  });

  it('refuses a strength of more than everything', async () => {
    const file = await volume('low-dose');
    const words = ['--low', file, '--reference', file, '--shape', `${names.length},${side},${side}`];
    const { code, stderr } = await cli('evaluate', ...words, '--strength', '101');
    expect([code, stderr]).toEqual([2, expect.stringContaining('--strength')]);
  });

  it('reports how the image looks', async () => {
    const words = ['--shape', '1,512,512', '--model', 'linear', '--report'];
    for (const [option, dose] of [
      ['--low', 'low-dose'],
      ['--reference', 'normal-dose'],
    ] as const) {
      const file = join(root, `${dose}-whole.i16`);
      const { image } = readCtSlice(await readFile(new URL(`${dose}/006.dcm`, series)));
      await writeFile(file, new Uint8Array(image.hu.buffer));
      words.push(option, file);
    }
    const { code, stdout, stderr } = await cli('evaluate', ...words, '--json');
    expect(code).toBe(0);
    expect(stderr).toMatch(/Noise in soft tissue .*\nDisc of 60 HU.*\n(Bias, .*\n)+$/);
    const { report } = lastLine(stdout) as { report: AssessmentReport };
    const { noiseIn, noiseOut, discIn, discOut, biasOut } = report;
    expect(noiseOut?.standardDeviation).toBeLessThan(noiseIn?.standardDeviation as number);
    expect(discIn?.contrastKept).toBe(1);
    expect(discOut?.contrastKept).toBeGreaterThan(0.9);
    expect(discOut?.edgeWidth).toBeGreaterThan(discIn?.edgeWidth as number);
    expect(Math.abs(biasOut.softTissue as number)).toBeLessThan(5);
  });

  it('does not know every model', async () => {
    const files = ['--low', await volume('low-dose'), '--reference', await volume('normal-dose')];
    const { code, stderr } = await cli(
      'evaluate',
      ...files,
      '--shape',
      `3,${side},${side}`,
      '--model',
      'other',
    );
    expect([code, stderr]).toEqual([2, expect.stringContaining('MODEL_UNKNOWN')]);
  });
});

test('the Node example denoises a file', async () => {
  const host = await startHost({ threads: 1 });
  const input = join(root, 'example.dcm');
  const { hu } = await crop('low-dose', '007.dcm');
  await writeFile(input, makeCtDicom({ rows: side, columns: side, hu }));
  const program = 'examples/dist/node-denoise/denoise.js';
  const output = join(root, 'example-denoised.dcm');
  const { code, stdout } = await runNode(program, [host.url, input, output]);
  await host.close();
  expect([code, stdout]).toEqual([0, expect.stringContaining(`${output}: `)]);
  expect(readCtSlice(await readFile(output)).header.imageType[0]).toBe('DERIVED');
  expect((await runNode(program, [])).code).toBe(2);
});
