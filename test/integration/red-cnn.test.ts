import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createClientOver } from '@cipherdose/sdk';
import { readCtSlice } from '@cipherdose/sdk/dicom';
import type { HuImage } from '@cipherdose/sdk/image';
import { evaluateClear } from '@cipherdose/server';
import { importModel, type ImportReport } from '#server/registry/import-model.js';
import { loadModel } from '#server/registry/load-model.js';
import { cropImage } from '../support/crop-image.ts';
import { memoryHost } from '../support/memory-host.ts';
import { evaluateOnnx } from '../support/onnx-reference.ts';
import { redCnn } from '../support/red-cnn.ts';

const side = 128;
let root: string;
let onnxPath: string;
let region: HuImage;
let report: ImportReport;
let importSeconds: number;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'cipherdose-red-cnn-'));
  onnxPath = join(root, 'red-cnn.onnx');
  await writeFile(onnxPath, redCnn());
  const slices = await Promise.all(
    ['003.dcm', '009.dcm'].map(async (name) =>
      readCtSlice(await readFile(new URL(`../../examples/sample-series/low-dose/${name}`, import.meta.url))),
    ),
  );
  const [first, second] = slices.map(({ image }) => image) as [HuImage, HuImage];
  region = cropImage(second, 200, 180, side, side);
  const started = performance.now();
  report = await importModel({
    onnxPath,
    id: 'red-cnn',
    version: '1.0.0',
    modelsDirectory: join(root, 'models'),
    calibration: [first],
    parameterSet: 'auto',
  });
  importSeconds = (performance.now() - started) / 1000;
});
afterAll(() => rm(root, { recursive: true }));

describe('RED-CNN in full width: 10 layers, 96 channels, 5x5, three skips', () => {
  test('imports in under two minutes and 4 GB, every layer proved', () => {
    expect(importSeconds).toBeLessThan(120);
    // Of this process so far, import included; KiB.
    expect(process.resourceUsage().maxRSS).toBeLessThan(4e9 / 1024);
    expect(report.layerReports.map(({ inChannels, outChannels }) => [inChannels, outChannels])).toEqual([
      [1, 96],
      ...Array.from({ length: 8 }, () => [96, 96]),
      [96, 1],
    ]);
    for (const layer of report.layerReports) {
      expect(layer.largestBound).toBeLessThan(layer.halfPlainModulus);
      expect(layer.noiseMarginBits).toBeGreaterThan(0);
    }
    expect(report.quantisation.rmsDifferenceHu).toBeLessThan(0.5);
  });

  test(`${side}x${side} pixels encrypted are those of the integer network in the clear`, async () => {
    const network = await loadModel(report.directory);
    const clear = evaluateClear(network, region);
    const client = createClientOver(memoryHost(network), { attempts: 1 });
    try {
      const results = [];
      for await (const result of client.denoise(region, { model: 'red-cnn' })) results.push(result);
      expect(results).toEqual([expect.objectContaining({ ok: true })]);
      expect(results[0]).toHaveProperty('image.hu', clear.hu);
    } finally {
      client.close();
    }
    const real = evaluateOnnx(onnxPath, region);
    const squares = clear.hu.reduce((sum, hu, i) => sum + (hu - (real[i] as number)) ** 2, 0);
    expect(Math.sqrt(squares / clear.hu.length)).toBeLessThan(0.6);
    expect(clear.hu.some((hu, i) => Math.abs(hu - (region.hu[i] as number)) > 5)).toBe(true);
  });
});
