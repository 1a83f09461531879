import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { DenoiseError } from '@cipherdose/sdk/errors';
import type { HuImage } from '@cipherdose/sdk/image';
import { checkPlan } from '@cipherdose/sdk/plan';
import {
  modelId,
  parameterSet,
  semanticVersion,
  type Cost,
  type Mode,
  type Plan,
} from '@cipherdose/sdk/protocol';
import { estimateCost } from '@cipherdose/sdk/packing';
import { clipImages } from '../network/calibration-maps.ts';
import { evaluateClear } from '../network/clear-evaluator.ts';
import type { IntegerNetwork } from '../network/integer-network.ts';
import type { QuantisedNetwork } from '../network/quantise.ts';
import { onnxLimits } from '../onnx/decode-model.ts';
import { lowerOnnx } from '../onnx/lower-onnx.ts';
import { readGraph } from '../onnx/read-graph.ts';
import { chooseParameters } from './choose-parameters.ts';
import { choosePrivate, privateParameterSet } from './choose-private.ts';
import { layerReports, type LayerReport } from './layer-report.ts';
import type { Manifest, ModelCard } from './manifest.ts';
import { measurePrivate, type PrivateSeconds } from './measure-private.ts';
import { prepareCalibration } from './prepare-calibration.ts';
import { privateReport, type PrivateReport } from './private-report.ts';
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
  /** Quantise for private mode. */
  readonly private?: boolean | undefined;
  /** Ways in which the model may be run; default: private if it is made for that, else by rounds in the open. */
  readonly modes?: readonly Mode[] | undefined;
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
  /** Weights that stand in the plan, for every client to see: those of public convolutions. */
  readonly publicWeights: number;
  /** Of a model that may run in private mode. */
  readonly private?: (PrivateReport & { readonly seconds: PrivateSeconds }) | undefined;
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
  checkWishes(options);
  if (wanted !== 'auto') parameterSet(wanted);
  const onnx = await readOnnx(options.onnxPath);
  const network = lowerOnnx(readGraph(onnx));
  const prepared = prepareCalibration(network, options.calibration, hu.lowHu);
  const calibration = clipImages(prepared, hu.lowHu, hu.highHu);
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
  const choice = { input: hu, calibration, planOf, costSide };
  const { chosen, reason } = options.private
    ? choosePrivate(network, choice)
    : chooseParameters(network, wanted, choice);
  const { quantised } = chosen;
  const plan = planOf(chosen.parameterSet, quantised);
  const checked = checkPlan({ ...plan, weightsDigest: '0'.repeat(64) });
  proveEvaluation({ plan: checked, layers: quantised.layers }, calibration, quantised.outputs);
  const modes = modesOf(plan, options);
  const privacy = modes.includes('private') ? privateReport(checked, quantised.layers, costSide) : undefined;
  const contents = {
    plan,
    modes,
    ...(privacy ? { privacy: privacyOf(privacy) } : {}),
    summary: options.summary ?? summaryOf(card, quantised),
    layers: [...quantised.proofs],
    quantisation: { calibrationImages: calibration.length, ...chosen.loss },
    source: { sha256: createHash('sha256').update(onnx).digest('hex'), bytes: onnx.length },
  };
  const reports = layerReports(checked, quantised, costSide);
  const cost = estimateCost(checked, costSide, costSide);
  const weights = quantised.layers;
  const written = await writeModel(
    options.modelsDirectory,
    { ...contents, weights, card },
    options.overwrite,
  );
  const { layers, quantisation, summary } = contents;
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
    publicWeights: publicWeightsOf(plan),
    ...(privacy ? { private: { ...privacy, seconds: measurePrivate(checked, privacy) } } : {}),
  };
}

/**
 * What was measured while parameters were chosen is what the plan makes of the images, evaluated on its own.
 * @throws MODEL_INVALID if a pixel differs
 */
function proveEvaluation(
  network: IntegerNetwork,
  images: readonly HuImage[],
  expected: QuantisedNetwork['outputs'],
): void {
  images.forEach((image, index) => {
    const { hu } = evaluateClear(network, image);
    const data = expected[index]?.data;
    if (hu.length !== data?.length || hu.some((value, i) => value !== data[i]))
      throw new DenoiseError('MODEL_INVALID', { image: index, reason: 'the plan gives other pixels' });
  });
}

/** @throws USAGE if what is asked for does not go together */
function checkWishes({ private: forPrivate, parameterSet: wanted, modes }: ImportOptions): void {
  const own = wanted === undefined || wanted === 'auto' || wanted === privateParameterSet;
  if (forPrivate && !own)
    throw new DenoiseError('USAGE', {
      reason: `private mode has the parameter set ${privateParameterSet}, not ${wanted}`,
    });
  if (modes?.includes('private') && !forPrivate)
    throw new DenoiseError('USAGE', { reason: 'a model for private mode is imported with --private' });
}

/** @throws USAGE if a mode is asked for that the network has not */
function modesOf(plan: Pick<Plan, 'framework'>, options: ImportOptions): Mode[] {
  const possible: readonly Mode[] = options.private ? [plan.framework, 'private'] : [plan.framework];
  const wanted = options.modes ?? possible.slice(-1);
  const wrong = wanted.find((mode) => !possible.includes(mode));
  if (wrong !== undefined || wanted.length === 0)
    throw new DenoiseError('USAGE', { mode: wrong ?? '', reason: `possible are ${possible.join(' and ')}` });
  return possible.filter((mode) => wanted.includes(mode));
}

const privacyOf = ({ side, distanceBits, layers }: PrivateReport): Manifest['privacy'] => ({
  side,
  distanceBits,
  layers: layers.map(({ layer, coefficientDistanceBits, distanceBits: bits }) => ({
    layer,
    coefficientDistanceBits,
    distanceBits: bits,
  })),
});

const publicWeightsOf = ({ nodes }: Pick<Plan, 'nodes'>): number =>
  nodes.reduce((sum, node) => sum + (node.op === 'convolution' ? node.weights.length : 0), 0);

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
