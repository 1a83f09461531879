import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { HuImage } from '@cipherdose/sdk/image';
import { describeImport, runImport } from '#server/commands/import-command.js';
import { importModel } from '#server/registry/import-model.js';
import { loadModel } from '#server/registry/load-model.js';
import { readCalibration } from '#server/registry/read-calibration.js';
import { integers } from '../../support/arbitraries.ts';
import { makeCtDicom } from '../../support/make-ct.ts';
import { meanConvolution, onnxFile } from '../../support/onnx-file.ts';

let root: string;
let onnxPath: string;
let modelsDirectory: string;

const convolution = meanConvolution('hu', 'y');
const network = onnxFile({
  nodes: [convolution.node, { op: 'Sub', inputs: ['hu', 'y'], output: 'denoised' }],
  tensors: convolution.tensors,
});
const next = integers(1);
const image: HuImage = {
  width: 32,
  height: 24,
  hu: Int16Array.from({ length: 768 }, () => next(-1000, 1000)),
};
const code = (name: string) => expect.objectContaining({ code: name });

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'cipherdose-import-'));
  onnxPath = join(root, 'model.onnx');
  modelsDirectory = join(root, 'models');
  await writeFile(onnxPath, network);
});
afterEach(() => rm(root, { recursive: true, force: true }));

const options = () => ({ onnxPath, id: 'mean', version: '1.0.0', modelsDirectory, calibration: [image] });

describe('import', () => {
  test('installs a model that can be loaded', async () => {
    const report = await importModel({ ...options(), card: { summary: 'Takes the mean away' } });
    expect(report).toMatchObject({
      id: 'mean',
      modes: ['linear'],
      summary: 'Takes the mean away',
      quantisation: { calibrationImages: 1 },
    });
    expect(report.quantisation.largestDifferenceHu).toBeLessThanOrEqual(1);
    const { plan, card, manifest } = await loadModel(report.directory);
    expect(plan).toMatchObject({ digest: report.digest, framework: 'linear', parameterSet: 'n4096-q60-t31' });
    expect(card).toEqual({ summary: 'Takes the mean away' });
    expect(manifest.layers).toEqual(report.layers);
    expect(describeImport(report)).toContain(`digest ${report.digest}`);
  });

  test.each([
    { id: '../mean', code: 'MODEL_INVALID' },
    { id: '', code: 'MODEL_INVALID' },
    { version: '1.0', code: 'MODEL_INVALID' },
    { version: '../../1.0.0', code: 'MODEL_INVALID' },
    { calibration: [], code: 'CALIBRATION_INVALID' },
    { parameterSet: 'n1-q1-t1', code: 'PARAMETERS_UNKNOWN' },
    { onnxPath: 'nowhere.onnx', code: 'FILE_UNREADABLE' },
  ])('refuses %j and leaves nothing', async ({ code: expected, ...change }) => {
    await expect(importModel({ ...options(), ...change })).rejects.toThrow(code(expected));
    expect(await readdir(root)).toEqual(['model.onnx']);
  });

  test('a file that is no ONNX leaves nothing', async () => {
    await writeFile(onnxPath, 'not a model');
    await expect(importModel(options())).rejects.toThrow(code('ONNX_INVALID'));
    expect(await readdir(root)).toEqual(['model.onnx']);
  });

  test('another model of the same name and version needs the word', async () => {
    await importModel(options());
    const other = meanConvolution('hu', 'denoised', [1, 1], 0.1);
    await writeFile(onnxPath, onnxFile({ nodes: [other.node], tensors: other.tensors }));
    await expect(importModel(options())).rejects.toThrow(code('MODEL_EXISTS'));
    await importModel({ ...options(), overwrite: true });
  });

  test('the command reads calibration and card from files', async () => {
    const [card, calibrate] = [join(root, 'card.json'), join(root, 'slice.dcm')];
    await writeFile(card, '{"data": "made up"}');
    await writeFile(calibrate, makeCtDicom({ rows: image.height, columns: image.width, hu: image.hu }));
    const given = { model: onnxPath, id: 'mean', version: '2.0.0', calibrate, card, models: modelsDirectory };
    const report = await runImport(given);
    expect(report.summary).toBe('Convolutions 1-1 3x3');
    expect((await loadModel(report.directory)).card).toEqual({ data: 'made up' });
    await writeFile(card, '[]');
    await expect(runImport(given)).rejects.toThrow(code('MODEL_INVALID'));
  });
});

describe('calibration', () => {
  const raw = (slices: number): Uint8Array => {
    const values = Int16Array.from({ length: slices * 512 * 512 }, (_, i) => (i % 4000) - 1000);
    return new Uint8Array(values.buffer);
  };

  test('takes raw, gzipped and DICOM slices of a folder in order of their names', async () => {
    const folder = join(root, 'slices');
    await mkdir(join(folder, 'more'), { recursive: true });
    await writeFile(join(folder, 'b.i16'), raw(2));
    await writeFile(join(folder, 'a.i16.gz'), gzipSync(raw(1)));
    await writeFile(join(folder, 'c.dcm'), makeCtDicom({ rows: 24, columns: 32, hu: image.hu }));
    await writeFile(join(folder, 'README.md'), 'not a slice');
    const images = await readCalibration(folder);
    expect(images.map(({ width, height }) => [width, height])).toEqual([
      [512, 512],
      [512, 512],
      [512, 512],
      [32, 24],
    ]);
    expect([...(images[0]?.hu.subarray(0, 3) ?? [])]).toEqual([-1000, -999, -998]);
    expect(images[3]?.hu).toEqual(image.hu);
  });

  test.each<[string, string, Uint8Array, string]>([
    ['a length that is no slice', 'a.i16', new Uint8Array(100), 'CALIBRATION_INVALID'],
    ['an empty file', 'a.i16', new Uint8Array(0), 'CALIBRATION_INVALID'],
    ['broken gzip', 'a.i16.gz', new Uint8Array(100), 'CALIBRATION_INVALID'],
    ['a gzip bomb', 'a.i16.gz', gzipSync(new Uint8Array(64 * 2 ** 20)), 'CALIBRATION_INVALID'],
    ['bytes that are no DICOM', 'a.dcm', new Uint8Array(100), 'DICOM_PARSE'],
  ])('%s', async (_, name, bytes, expected) => {
    await writeFile(join(root, name), bytes);
    await expect(readCalibration(join(root, name))).rejects.toThrow(code(expected));
  });

  test('an empty folder, and none', async () => {
    await mkdir(join(root, 'empty'));
    await expect(readCalibration(join(root, 'empty'))).rejects.toThrow(code('CALIBRATION_INVALID'));
    await expect(readCalibration(join(root, 'none'))).rejects.toThrow(code('FILE_UNREADABLE'));
  });
});
