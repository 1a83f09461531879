import { readFile, stat } from 'node:fs/promises';
import { DenoiseError } from '@cipherdose/sdk/errors';
import type { HuImage } from '@cipherdose/sdk/image';
import { checkPlan } from '@cipherdose/sdk/plan';
import { modelId, semanticVersion, type Plan } from '@cipherdose/sdk/protocol';
import { clipImage } from '../network/calibration-maps.ts';
import { evaluateClear } from '../network/clear-evaluator.ts';
import { evaluateFloat } from '../network/float-evaluator.ts';
import type { FloatNetwork } from '../network/float-network.ts';
import type { IntegerNetwork } from '../network/integer-network.ts';
import { quantise, type QuantisedNetwork } from '../network/quantise.ts';
import { onnxLimits } from '../onnx/decode-model.ts';
import { lowerOnnx } from '../onnx/lower-onnx.ts';
import { readGraph } from '../onnx/read-graph.ts';
import type { Manifest, ModelCard } from './manifest.ts';
import { writeModel } from './write-model.ts';

/** What is imported and how; units and ranges are those of the command line. */
export interface ImportOptions {
  readonly onnxPath: string;
  readonly id: string;
  readonly version: string;
  readonly modelsDirectory: string;
  /** Real slices like those that the model will see; never from the split that it is judged by. */
  readonly calibration: readonly HuImage[];
  readonly card?: ModelCard | undefined;
  /** One line; default: that of the card. */
  readonly summary?: string | undefined;
  /** Replace a model with this id and version. */
  readonly overwrite?: boolean | undefined;
  /** HE parameter set; default n4096-q60-t31. */
  readonly parameterSet?: string | undefined;
}

/** What an import found and proved. */
export interface ImportReport extends Pick<Manifest, 'layers' | 'quantisation' | 'summary' | 'modes'> {
  readonly id: string;
  readonly version: string;
  readonly digest: string;
  readonly directory: string;
}

/** HU that a model takes; what lies outside is clipped and added back. */
const input = { lowHu: -1024, highHu: 3071 };

/**
 * ONNX file -> integer network with proved bounds -> model folder.
 * @throws ONNX_INVALID, ONNX_UNSUPPORTED, CALIBRATION_INVALID, ACCUMULATOR_BOUND, NOISE_BOUND, MODEL_EXISTS, ...
 */
export async function importModel(options: ImportOptions): Promise<ImportReport> {
  const { id, version, card = {} } = options;
  if (!modelId.safeParse(id).success || !semanticVersion.safeParse(version).success)
    throw new DenoiseError('MODEL_INVALID', { id, version, reason: 'the id or the version is not valid' });
  const network = lowerOnnx(readGraph(await readOnnx(options.onnxPath)));
  const name = options.parameterSet ?? 'n4096-q60-t31';
  const quantised = quantise(network, { parameterSet: name, input, calibration: options.calibration });
  const framework = quantised.layers.length === 1 ? 'linear' : 'interactive';
  const plan: Omit<Plan, 'weightsDigest'> = {
    format: 'cipherdose-plan/1',
    id,
    version,
    framework,
    parameterSet: name,
    input,
    nodes: [...quantised.nodes],
    output: quantised.output,
  };
  const contents = {
    plan,
    modes: [framework] as Manifest['modes'],
    summary: options.summary ?? summaryOf(card, quantised),
    layers: [...quantised.proofs],
    quantisation: compare(network, { ...quantised, plan }, options.calibration),
  };
  const weights = quantised.layers;
  const written = await writeModel(
    options.modelsDirectory,
    { ...contents, weights, card },
    options.overwrite,
  );
  const { layers, quantisation, summary, modes } = contents;
  return { id, version, ...written, layers, quantisation, summary, modes };
}

async function readOnnx(path: string): Promise<Uint8Array> {
  try {
    const { size } = await stat(path);
    if (size > onnxLimits.fileBytes)
      throw new DenoiseError('ONNX_INVALID', { bytes: size, most: onnxLimits.fileBytes });
    return await readFile(path);
  } catch (error) {
    throw DenoiseError.wrap(error, 'FILE_UNREADABLE', { path });
  }
}

function summaryOf(card: ModelCard, { nodes }: QuantisedNetwork): string {
  const summary = card['summary'];
  if (typeof summary === 'string' && summary !== '') return summary.slice(0, 500);
  const layers = nodes.filter((node) => node.op === 'linear');
  const shapes = layers.map(
    ({ inChannels, outChannels, kernel }) => `${inChannels}-${outChannels} ${kernel.join('x')}`,
  );
  return `Convolutions ${shapes.join(', ')}`;
}

/** The integer network against the real one, both in whole HU. */
function compare(
  network: FloatNetwork,
  quantised: QuantisedNetwork & { readonly plan: Omit<Plan, 'weightsDigest'> },
  images: readonly HuImage[],
): Manifest['quantisation'] {
  const plan = checkPlan({ ...quantised.plan, weightsDigest: '0'.repeat(64) });
  const integer: IntegerNetwork = { plan, layers: quantised.layers };
  let [squares, pixels, largest] = [0, 0, 0];
  for (const image of images) {
    const clipped: HuImage = {
      width: image.width,
      height: image.height,
      hu: Int16Array.from(clipImage(image, input.lowHu, input.highHu).data),
    };
    const real = evaluateFloat(network, clipped.hu, image.height, image.width);
    const { hu } = evaluateClear(integer, clipped);
    for (let i = 0; i < hu.length; i++) {
      const expected = Math.max(input.lowHu, Math.min(input.highHu, Math.round(real[i] as number)));
      const difference = Math.abs((hu[i] as number) - expected);
      squares += difference ** 2;
      largest = Math.max(largest, difference);
    }
    pixels += hu.length;
  }
  const rms = Math.round(Math.sqrt(squares / pixels) * 1e4) / 1e4;
  return { calibrationImages: images.length, rmsDifferenceHu: rms, largestDifferenceHu: largest };
}
