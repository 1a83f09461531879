import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { readCtSlice } from '@cipherdose/sdk/dicom';
import { quality, type HuImage } from '@cipherdose/sdk/image';
import { evaluateClear } from '@cipherdose/server';
import { loadModel } from '#server/registry/load-model.js';
import { evaluateOnnx } from '../support/onnx-reference.ts';

const repository = new URL('../../', import.meta.url);
const onnxFile = (id: string): string =>
  fileURLToPath(new URL(`examples/train-denoiser/onnx/${id}.onnx`, repository));
const modelFolder = (id: string): string => fileURLToPath(new URL(`server/models/${id}/1.0.0`, repository));
const slice = async (dose: 'low-dose' | 'normal-dose', name: string): Promise<HuImage> =>
  readCtSlice(await readFile(new URL(`examples/sample-series/${dose}/${name}`, repository))).image;

/** The real network by another's hand, output in whole HU. */
function evaluateReal(id: string, image: HuImage): HuImage {
  const clipped = Array.from(evaluateOnnx(onnxFile(id), image), (y) =>
    Math.max(-1024, Math.min(3071, Math.round(y))),
  );
  return { ...image, hu: Int16Array.from(clipped) };
}

describe.each(['linear', 'fast', 'balanced', 'best', 'private'])('%s in integers', (id) => {
  test('loses at most 0.02 dB against onnxruntime', async () => {
    const network = await loadModel(modelFolder(id));
    for (const name of ['003.dcm', '009.dcm']) {
      const [low, reference] = [await slice('low-dose', name), await slice('normal-dose', name)];
      const real = evaluateReal(id, low);
      const integer = evaluateClear(network, low);
      const [expected, got] = [quality(real, reference), quality(integer, reference)];
      expect(got.psnr).toBeGreaterThan(expected.psnr - 0.02);
      expect(got.ssim).toBeGreaterThan(expected.ssim - 0.0005);
      expect(quality(integer, real).rmse).toBeLessThan(0.5);
    }
  });
});
