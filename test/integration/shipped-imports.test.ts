import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import type { runImport } from '#server/commands/import-command.js';
import { loadModel } from '#server/registry/load-model.js';
import { lastLine, runNode } from '../support/run-node.ts';

const file = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));

/** Largest difference between the integer and the real network at one pixel, HU. */
const largestDifferences = { linear: 1, fast: 1, balanced: 1, best: 1, private: 2 };

test.each(Object.entries(largestDifferences))(
  '%s is what import makes of the ONNX file and the calibration slices here',
  async (id, largestDifference) => {
    const models = await mkdtemp(join(tmpdir(), 'cipherdose-import-'));
    try {
      const { code, stdout } = await runNode('server/dist/main.js', [
        ...['import', file(`examples/train-denoiser/onnx/${id}.onnx`), '--id', id, '--version', '1.0.0'],
        ...(id === 'private' ? ['--private'] : []),
        ...['--calibrate', file('examples/train-denoiser/calibration'), '--models', models, '--json'],
      ]);
      expect(code).toBe(0);
      const report = lastLine(stdout) as Awaited<ReturnType<typeof runImport>>;
      const shipped = await loadModel(file(`server/models/${id}/1.0.0`));
      // Before the digests, which would only say that something differs.
      const { plan } = await loadModel(join(models, id, '1.0.0'));
      expect(plan.nodes).toEqual(shipped.plan.nodes);
      expect(report.digest).toBe(shipped.plan.digest);
      expect(report.quantisation.largestDifferenceHu).toBeLessThanOrEqual(largestDifference);
      expect(report.quantisation).toEqual(shipped.manifest.quantisation);
    } finally {
      await rm(models, { recursive: true });
    }
  },
  600_000,
);
