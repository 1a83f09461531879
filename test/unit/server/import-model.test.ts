import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { HuImage } from '@cipherdose/sdk/image';
import { describeImport, runImport } from '#server/commands/import-command.js';
import type { FloatNode } from '#server/network/float-network.js';
import { lowerOnnx } from '#server/onnx/lower-onnx.js';
import { readGraph } from '#server/onnx/read-graph.js';
import { importModel } from '#server/registry/import-model.js';
import { loadModel } from '#server/registry/load-model.js';
import { prepareCalibration } from '#server/registry/prepare-calibration.js';
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

describe('the report', () => {
  /** Two layers. */
  const layers = [meanConvolution('hu', 'a', [1, 5]), meanConvolution('a', 'denoised', [5, 1], 1 / 45)];
  const deep = onnxFile({
    nodes: layers.map(({ node }) => node),
    tensors: layers.flatMap(({ tensors }) => tensors),
  });
  /** So many taps that t = 2^28 leaves few bits for each. */
  const random = integers(3);
  const wide = onnxFile({
    nodes: [{ op: 'Conv', inputs: ['hu', 'w'], output: 'denoised', attributes: { pads: [12, 12, 12, 12] } }],
    tensors: [
      {
        name: 'w',
        dims: [1, 1, 25, 25],
        values: Array.from({ length: 625 }, () => random(-600, 600) / 10_000),
      },
    ],
  });

  test('auto takes the fewest bytes that lose nothing, and says why', async () => {
    const report = await importModel({ ...options(), parameterSet: 'auto' });
    expect(report.parameterSet).toBe('n4096-q60-t28');
    expect(report.reason).toMatch(/^n4096-q60-t28 with 12-bit activations: rms 0\.\d+ HU.*the fewest bytes/);
    expect((await loadModel(report.directory)).plan.parameterSet).toBe('n4096-q60-t28');
  });

  test('auto takes more bits where they are needed', async () => {
    await writeFile(onnxPath, wide);
    const report = await importModel({ ...options(), parameterSet: 'auto' });
    expect(report.reason).toContain('not n4096-q60-t28');
    expect(report.parameterSet).toBe('n4096-q60-t31');
    const asked = await importModel({ ...options(), parameterSet: 'n4096-q60-t28', overwrite: true });
    expect(asked.quantisation.rmsDifferenceHu).toBeGreaterThan(report.quantisation.rmsDifferenceHu);
    expect(asked.reason).toBe('n4096-q60-t28, as asked for');
  });

  test('shows ranges, bits, proved bounds, bytes and products of every layer, and their sum', async () => {
    await writeFile(onnxPath, deep);
    const report = await importModel({ ...options(), parameterSet: 'n4096-q60-t31' });
    const [first, second] = report.layerReports;
    expect(report.layerReports).toHaveLength(2);
    expect(first).toMatchObject({
      inChannels: 1,
      outChannels: 5,
      kernel: [3, 3],
      inputLow: -1024,
      inputHigh: 3071,
      inputBits: 13,
    });
    expect(second?.inputBits).toBe(13);
    for (const layer of report.layerReports) {
      expect(layer.smallestBound).toBeLessThanOrEqual(layer.largestBound);
      expect(layer.largestBound).toBeLessThan(2 ** 30);
      expect(layer.products).toBe(layer.tiles * layer.inChannels * layer.outChannels);
    }
    const total = (key: 'bytesUp' | 'bytesDown' | 'products'): number =>
      report.layerReports.reduce((sum, layer) => sum + layer[key], 0);
    for (const key of ['bytesUp', 'bytesDown', 'products'] as const)
      expect(report.cost[key]).toBe(total(key));
    const lines = describeImport(report).split('\n');
    expect(lines.filter((line) => line.startsWith('  layer '))).toHaveLength(2);
    expect(lines.at(-2)).toMatch(/a slice of 512x512: 2 rounds, [\d.]+ MB up, [\d.]+ MB down, \d+ products/);
    expect(JSON.parse(JSON.stringify(report))).toEqual(report);
  });

  test('the manifest holds the digest of the ONNX file', async () => {
    const { directory } = await importModel(options());
    const { manifest } = await loadModel(directory);
    const sha256 = createHash('sha256').update(network).digest('hex');
    expect(manifest.source).toEqual({ sha256, bytes: network.length });
  });

  test('an operator that cannot be evaluated is named with its node, and nothing stays', async () => {
    const file = onnxFile({
      nodes: [convolution.node, { op: 'Greater', inputs: ['y', 'hu'], output: 'denoised' }],
      tensors: convolution.tensors,
    });
    await writeFile(onnxPath, file);
    await expect(importModel(options())).rejects.toMatchObject({
      code: 'ONNX_UNSUPPORTED',
      details: {
        operator: 'Greater',
        node: '/Greater_1',
        supported: expect.stringContaining('Clip, LeakyRelu, Max or Min'),
      },
    });
    expect(await readdir(root)).toEqual(['model.onnx']);
  });
});

describe('heavy networks', () => {
  const heavy = (channels: number): Uint8Array => {
    const layers = [
      meanConvolution('hu', 'a', [1, channels]),
      meanConvolution('a', 'b', [channels, channels], 1 / 9 / channels),
      meanConvolution('b', 'denoised', [channels, 1], 1 / 9 / channels),
    ];
    return onnxFile({
      nodes: layers.map(({ node }) => node),
      tensors: layers.flatMap(({ tensors }) => tensors),
      inputDims: [1, 1, 0, 0],
    });
  };
  const large: HuImage = {
    width: 400,
    height: 300,
    hu: Int16Array.from({ length: 120_000 }, (_, i) => ((i * 7919) % 1500) - 1000),
  };

  test('see less of the calibration images, light ones all of them', () => {
    const slices = Array.from({ length: 3 }, () => large);
    expect(prepareCalibration(lowerOnnx(readGraph(heavy(2))), slices, -1024)).toEqual(slices);
    const some = prepareCalibration(lowerOnnx(readGraph(heavy(200))), slices, -1024);
    expect(some.length).toBeGreaterThan(0);
    const [first] = some as [HuImage];
    expect(first.width).toBeLessThan(300);
    // Around the middle.
    const left = Math.floor((large.width - first.width) / 2);
    const top = Math.floor((large.height - first.height) / 2);
    expect(first.hu[0]).toBe(large.hu[top * large.width + left]);
  });

  test('are refused beyond what can be evaluated in bounded time', () => {
    const network = lowerOnnx(readGraph(heavy(200)));
    const slices = Array.from({ length: 3 }, () => large);
    const tower = { ...network, nodes: Array.from({ length: 200 }, () => network.nodes[1] as FloatNode) };
    expect(() =>
      prepareCalibration({ ...tower, nodes: [network.nodes[0] as FloatNode, ...tower.nodes] }, slices, 0),
    ).toThrow(code('ONNX_UNSUPPORTED'));
  });

  test('images of the wrong size are refused', () => {
    const network = lowerOnnx(readGraph(heavy(1)));
    for (const bad of [
      { ...large, width: 399 },
      { width: 0, height: 0, hu: new Int16Array() },
    ])
      expect(() => prepareCalibration(network, [bad], 0)).toThrow(code('CALIBRATION_INVALID'));
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
    ['numbers that are no CT', 'a.i16', new Uint8Array(2 * 512 * 512).fill(0x7f), 'CALIBRATION_INVALID'],
    ['slices of one value', 'a.i16', new Uint8Array(2 * 512 * 512), 'CALIBRATION_INVALID'],
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
