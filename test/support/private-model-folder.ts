import type { Mode } from '@cipherdose/sdk/protocol';
import type { IntegerNetwork } from '#server/network/integer-network.js';
import { privateReport } from '#server/registry/private-report.js';
import { writeModel } from '#server/registry/write-model.js';

/** Installs a network that private mode can run. @returns the digest of its plan, which covers the weights */
export async function writePrivateModel(
  modelsDirectory: string,
  { plan, layers }: IntegerNetwork,
  modes: Mode[] = ['private'],
): Promise<string> {
  const side = 64;
  const report = privateReport(plan, layers, side);
  const { format, id, version, framework, parameterSet, input, nodes, output } = plan;
  const { digest } = await writeModel(modelsDirectory, {
    plan: { format, id, version, framework, parameterSet, input, nodes, output },
    modes,
    privacy: {
      side,
      distanceBits: report.distanceBits,
      layers: report.layers.map(({ layer, coefficientDistanceBits, distanceBits }) => ({
        layer,
        coefficientDistanceBits,
        distanceBits,
      })),
    },
    summary: 'A random network for private mode, for tests',
    layers: plan.nodes
      .filter((node) => node.op === 'linear')
      .map(({ layer, accumulatorBound }) => ({
        layer,
        accumulatorBound,
        noiseMarginBits: 1,
        weightBits: 10,
      })),
    quantisation: { calibrationImages: 1, rmsDifferenceHu: 0, largestDifferenceHu: 0 },
    weights: layers,
    card: { data: 'none' },
  });
  return digest;
}
