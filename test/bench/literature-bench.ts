// Networks of the literature: import, one whole slice encrypted, and the same slice in the clear, compared bit for bit.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';

import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { evaluateClear, importModel, startHost } from '@cipherdose/server';
import { createDenoiseClient } from '@cipherdose/sdk';
import { loadModel } from '#server/registry/load-model.js';
import { readCalibration } from '#server/registry/read-calibration.js';
import { redCnn } from '../support/red-cnn.ts';
import { repositoryRoot, sampleImages } from './sample-images.ts';

/** What one network of the literature took. */
export interface LiteratureFigures {
  readonly name: string;
  readonly importSeconds: number;
  readonly importPeakMiB: number;
  readonly parameterSet: string;
  /** RMS difference of the integer to the real network on the calibration images, HU. */
  readonly rmsDifferenceHu: number;
  readonly rounds: number;
  readonly ciphertexts: number;
  readonly products: number;
  readonly bytesUp: number;
  readonly bytesDown: number;
  readonly encryptedSeconds: number;
  readonly clearSeconds: number;
  /** Every pixel of 512x512 equals that of the integer network in the clear. */
  readonly exact: boolean;
}

const path = (name: string): string => fileURLToPath(new URL(name, repositoryRoot));

/** In a process of its own, so that its memory is its own: see the end of this file. */
export async function benchLiterature(name: string): Promise<LiteratureFigures> {
  const child = fork(fileURLToPath(import.meta.url), [name]);
  const [message] = (await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(([code]) => {
      throw new Error(`${name} ended with ${String(code)}`);
    }),
  ])) as [LiteratureFigures];
  return message;
}

async function run(name: string): Promise<LiteratureFigures> {
  const root = await mkdtemp(join(tmpdir(), 'cipherdose-bench-'));
  try {
    const onnxPath = join(root, `${name}.onnx`);
    if (name === 'redcnn-96') await writeFile(onnxPath, redCnn());
    else await copyFile(path(`test/data/onnx/${name}.onnx`), onnxPath);
    const models = join(root, 'models');
    const calibration = await readCalibration(path('examples/train-denoiser/calibration'));
    let started = performance.now();
    const seconds = (): number => (performance.now() - started) / 1000;
    const report = await importModel({
      onnxPath,
      id: name,
      version: '1.0.0',
      modelsDirectory: models,
      calibration,
      parameterSet: 'auto',
    });
    const importSeconds = seconds();
    const importPeakMiB = Math.round(process.resourceUsage().maxRSS / 1024);

    const image = sampleImages()[0] as ReturnType<typeof sampleImages>[number];
    started = performance.now();
    const clear = evaluateClear(await loadModel(report.directory), image);
    const clearSeconds = seconds();

    const host = await startHost({ models, threads: availableParallelism() });
    const client = createDenoiseClient({ serverUrl: host.url });
    try {
      started = performance.now();
      let exact = false;
      for await (const result of client.denoise(image, { model: name })) {
        if (!result.ok) throw result.error;
        exact = Buffer.from(result.image.hu.buffer).equals(Buffer.from(clear.hu.buffer));
      }
      const { rounds, products, bytesUp, bytesDown, ciphertextsUp, ciphertextsDown } = report.cost;
      return {
        name,
        importSeconds,
        importPeakMiB,
        parameterSet: report.parameterSet,
        rmsDifferenceHu: report.quantisation.rmsDifferenceHu,
        rounds,
        ciphertexts: ciphertextsUp + ciphertextsDown,
        products,
        bytesUp,
        bytesDown,
        encryptedSeconds: seconds(),
        clearSeconds,
        exact,
      };
    } finally {
      client.close();
      await host.close();
    }
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

const [, script, name] = process.argv;
if (script === fileURLToPath(import.meta.url) && name !== undefined) {
  process.send?.(await run(name));
  process.disconnect();
}
