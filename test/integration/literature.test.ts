import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createClientOver, type SliceResult, type Transport } from '@cipherdose/sdk';
import { readCtSlice } from '@cipherdose/sdk/dicom';
import type { HuImage } from '@cipherdose/sdk/image';
import { evaluateClear } from '@cipherdose/server';
import { importModel } from '#server/registry/import-model.js';
import { loadModel } from '#server/registry/load-model.js';
import { cropImage } from '../support/crop-image.ts';
import { memoryHost } from '../support/memory-host.ts';
import { evaluateOnnx } from '../support/onnx-reference.ts';

const repository = new URL('../../', import.meta.url);
const onnxFile = (name: string): string => fileURLToPath(new URL(`test/data/onnx/${name}.onnx`, repository));

let models: string;
let slice: HuImage;
let other: HuImage;
let host: Transport;
const client = createClientOver(
  {
    models: () => host.models(),
    model: (id) => host.model(id),
    evaluate: (request) => host.evaluate(request),
  },
  { workers: 1, attempts: 1 },
);

beforeAll(async () => {
  models = await mkdtemp(join(tmpdir(), 'cipherdose-literature-'));
  const read = async (name: string): Promise<HuImage> =>
    readCtSlice(await readFile(new URL(`examples/sample-series/low-dose/${name}`, repository))).image;
  slice = await read('003.dcm');
  other = await read('009.dcm');
});
afterAll(async () => {
  client.close();
  await rm(models, { recursive: true });
});

/** What the real network gives, in whole HU of the model's range. */
const realOutput = (name: string, image: HuImage): Int16Array =>
  Int16Array.from(evaluateOnnx(onnxFile(name), image), (y) => Math.max(-1024, Math.min(3071, Math.round(y))));

describe.each([
  { name: 'filter-bank', layers: 2, whole: true },
  { name: 'dncnn', layers: 6 },
  { name: 'ffdnet', layers: 5, whole: true },
  { name: 'unet', layers: 13 },
  { name: 'redcnn', layers: 10 },
  { name: 'nafnet', layers: 22 },
  { name: 'rcan', layers: 12 },
])('$name', ({ name, layers, whole = false }) => {
  test('imports, runs encrypted as it does in the clear, and is the network that PyTorch exported', async () => {
    const calibration = [cropImage(slice, 150, 150, 160, 160), cropImage(slice, 250, 200, 160, 160)];
    const report = await importModel({
      onnxPath: onnxFile(name),
      id: name,
      version: '1.0.0',
      modelsDirectory: models,
      calibration,
      parameterSet: 'auto',
    });
    expect(report.layerReports).toHaveLength(layers);
    expect(report.quantisation.rmsDifferenceHu).toBeLessThanOrEqual(0.5);
    for (const layer of report.layerReports) expect(layer.largestBound).toBeLessThan(layer.halfPlainModulus);

    const network = await loadModel(report.directory);
    // Sides that no pool and no shuffle divides; a slice that the calibration has not seen.
    const odd = cropImage(other, 190, 170, 101, 91);
    // Heavier networks do the whole slice in the benchmark.
    const images = whole ? [odd, other] : [odd];
    host = memoryHost(network);
    const results: SliceResult[] = [];
    for await (const result of client.denoise(images, { model: name })) results.push(result);
    expect(results).toEqual(images.map(() => expect.objectContaining({ ok: true })));
    images.forEach((image, i) => {
      const clear = evaluateClear(network, image);
      const encrypted = results.find(({ index }) => index === i);
      expect(encrypted).toHaveProperty('image.hu', clear.hu);
    });

    const even = cropImage(other, 190, 170, 100, 88);
    const expected = realOutput(name, even);
    const integer = evaluateClear(network, even).hu;
    const rms = Math.sqrt(
      integer.reduce((sum, hu, i) => sum + (hu - (expected[i] as number)) ** 2, 0) / integer.length,
    );
    expect(rms).toBeLessThan(0.6);
    // It does something: otherwise equality would say nothing.
    expect(expected.some((hu, i) => Math.abs(hu - (even.hu[i] as number)) > 20)).toBe(true);
  });
});
