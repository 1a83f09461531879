import { writeModel } from '#server/registry/write-model.js';
import { tinyPlan } from './tiny-models.ts';

/**
 * Installs the tiny model with real weights: a 3x3 mean of sixteenths.
 * @returns its digest, which differs from that of the stub
 */
export async function writeTinyModel(modelsDirectory: string, version = tinyPlan.version): Promise<string> {
  const { format, id, framework, parameterSet, input, nodes, output } = tinyPlan;
  const { digest } = await writeModel(modelsDirectory, {
    plan: { format, id, version, framework, parameterSet, input, nodes, output },
    modes: ['linear'],
    summary: 'One convolution, for tests',
    layers: [{ layer: 0, accumulatorBound: 1_000_000, noiseMarginBits: 1, weightBits: 3 }],
    quantisation: { calibrationImages: 1, rmsDifferenceHu: 0, largestDifferenceHu: 0 },
    weights: [{ weights: Int16Array.from([1, 2, 1, 2, 4, 2, 1, 2, 1]), bias: new Int32Array(1) }],
    card: { data: 'none' },
  });
  return digest;
}
