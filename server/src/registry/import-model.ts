import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { DenoiseError } from '@cipherdose/sdk/errors';
import type { HuImage } from '@cipherdose/sdk/image';
import { checkPlan } from '@cipherdose/sdk/plan';
import { modelId, parameterSet, semanticVersion, type Cost, type Plan } from '@cipherdose/sdk/protocol';
import { estimateCost } from '@cipherdose/sdk/packing';
import type { QuantisedNetwork } from '../network/quantise.ts';
import { onnxLimits } from '../onnx/decode-model.ts';
import { lowerOnnx } from '../onnx/lower-onnx.ts';
import { readGraph } from '../onnx/read-graph.ts';
import { chooseParameters } from './choose-parameters.ts';
import { layerReports, type LayerReport } from './layer-report.ts';
import type { Manifest, ModelCard } from './manifest.ts';
import { lossAgainst } from './measure-loss.ts';
import { prepareCalibration } from './prepare-calibration.ts';
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
  /** Name of an HE parameter set, or `auto`; default n4096-q60-t31. */
  readonly parameterSet?: string | undefined;
}

/** What an import found and proved. */
export interface ImportReport extends Pick<Manifest, 'layers' | 'quantisation' | 'summary' | 'modes'> {
  readonly id: string;
  readonly version: string;
  readonly digest: string;
  readonly directory: string;
  readonly parameterSet: string;
  /** Why this parameter set. */
  readonly reason: string;
  /** Of a slice of 512 x 512 pixels, as `cost` is. */
  readonly layerReports: readonly LayerReport[];
  readonly cost: Cost;
}

/** HU that a model takes; what lies outside is clipped and added back. */
const hu = { lowHu: -1024, highHu: 3071 };
/** Side of the slice that costs are given for, pixels. */
const costSide = 512;

/**
 * ONNX file -> integer network with proved bounds -> model folder.
 * @throws ONNX_INVALID, ONNX_UNSUPPORTED, CALIBRATION_INVALID, ACCUMULATOR_BOUND, NOISE_BOUND, MODEL_EXISTS, ...
 */
export async function importModel(options: ImportOptions): Promise<ImportReport> {
  const { id, version, card = {} } = options;
  if (!modelId.safeParse(id).success || !semanticVersion.safeParse(version).success)
    throw new DenoiseError('MODEL_INVALID', { id, version, reason: 'the id or the version is not valid' });
  const wanted = options.parameterSet ?? 'n4096-q60-t31';
  if (wanted !== 'auto') parameterSet(wanted);
  const onnx = await readOnnx(options.onnxPath);
  const network = lowerOnnx(readGraph(onnx));
  const calibration = prepareCalibration(network, options.calibration, hu.lowHu);
  const input: Plan['input'] = network.multiple === undefined ? hu : { ...hu, multiple: network.multiple };
  const planOf = (name: string, quantised: QuantisedNetwork): Omit<Plan, 'weightsDigest'> => ({
    format: 'cipherdose-plan/1',
    id,
    version,
    framework: frameworkOf(quantised),
    parameterSet: name,
    input,
    nodes: [...quantised.nodes],
    output: quantised.output,
  });
  const lossOf = lossAgainst(network, calibration, hu);
  const { chosen, reason } = chooseParameters(network, wanted, {
    input: hu,
    calibration,
    planOf,
    lossOf,
    costSide,
  });
  const { quantised } = chosen;
  const plan = planOf(chosen.parameterSet, quantised);
  const contents = {
    plan,
    modes: [plan.framework] as Manifest['modes'],
    summary: options.summary ?? summaryOf(card, quantised),
    layers: [...quantised.proofs],
    quantisation: { calibrationImages: calibration.length, ...chosen.loss },
    source: { sha256: createHash('sha256').update(onnx).digest('hex'), bytes: onnx.length },
  };
  const checked = checkPlan({ ...plan, weightsDigest: '0'.repeat(64) });
  const reports = layerReports(checked, quantised, costSide);
  const cost = estimateCost(checked, costSide, costSide);
  const weights = quantised.layers;
  const written = await writeModel(
    options.modelsDirectory,
    { ...contents, weights, card },
    options.overwrite,
  );
  const { layers, quantisation, summary, modes } = contents;
  return {
    id,
    version,
    ...written,
    layers,
    quantisation,
    summary,
    modes,
    parameterSet: chosen.parameterSet,
    reason,
    layerReports: reports,
    cost,
  };
}

const frameworkOf = ({ layers }: QuantisedNetwork): Plan['framework'] =>
  layers.length === 1 ? 'linear' : 'interactive';

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
