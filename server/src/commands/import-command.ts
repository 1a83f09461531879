import { readFile } from 'node:fs/promises';
import { DenoiseError } from '@cipherdose/sdk/errors';
import { modes, modeSchema, type Mode } from '@cipherdose/sdk/protocol';
import { importModel, type ImportReport } from '../registry/import-model.ts';
import { cardSchema, type ModelCard } from '../registry/manifest.ts';
import { readCalibration } from '../registry/read-calibration.ts';

export interface ImportCommandOptions {
  /** ONNX file. */
  readonly model: string;
  readonly id: string;
  readonly version: string;
  /** File or folder of calibration slices, DICOM or raw; see `readCalibration`. */
  readonly calibrate: string;
  /** Folder of models. */
  readonly models: string;
  /** JSON file of the model card. */
  readonly card?: string | undefined;
  readonly summary?: string | undefined;
  readonly overwrite?: boolean | undefined;
  /** Name of an HE parameter set, or `auto`. */
  readonly parameters?: string | undefined;
  /** Quantise for private mode. */
  readonly private?: boolean | undefined;
  /** Names of modes, separated by commas. */
  readonly modes?: string | undefined;
}

/** `cipherdose-server import`: all of its work, without a command line. */
export async function runImport(options: ImportCommandOptions): Promise<ImportReport> {
  const card = options.card === undefined ? undefined : await readCard(options.card);
  return importModel({
    onnxPath: options.model,
    id: options.id,
    version: options.version,
    modelsDirectory: options.models,
    calibration: await readCalibration(options.calibrate),
    card,
    summary: options.summary,
    overwrite: options.overwrite,
    parameterSet: options.parameters,
    private: options.private,
    modes: options.modes === undefined ? undefined : readModes(options.modes),
  });
}

function readModes(list: string): Mode[] {
  return list.split(',').map((name) => {
    const mode = modeSchema.safeParse(name.trim());
    if (!mode.success)
      throw new DenoiseError('USAGE', { mode: name, reason: `possible are ${modes.join(', ')}` });
    return mode.data;
  });
}

/** The report in a few lines, for people. */
export function describeImport(report: ImportReport): string {
  const { quantisation: loss, cost } = report;
  return [
    `${report.id} ${report.version} (${report.modes.join(', ')}): ${report.directory}`,
    `  digest ${report.digest}`,
    `  parameters ${report.reason}`,
    ...report.layerReports.map(describeLayer),
    `  a slice of 512x512: ${cost.rounds} rounds, ${megabytes(cost.bytesUp)} up, ${megabytes(cost.bytesDown)} down, ` +
      `${cost.products} products`,
    `  integer against real network on ${loss.calibrationImages} slices: rms ${loss.rmsDifferenceHu} HU, ` +
      `at most ${loss.largestDifferenceHu} HU`,
    ...(report.publicWeights > 0
      ? [`  public: the plan, which every client gets, has ${report.publicWeights} weights in it`]
      : []),
    ...(report.private ? describePrivate(report.private) : []),
  ].join('\n');
}

function describeLayer(layer: ImportReport['layerReports'][number]): string {
  const shape = `${layer.inChannels}-${layer.outChannels} ${layer.kernel.join('x')}`;
  const stride = layer.stride === 1 ? '' : ` stride ${[layer.stride].flat().join('x')}`;
  return (
    `  layer ${layer.layer} (${shape}${stride}): inputs ${layer.inputLow}..${layer.inputHigh} (${layer.inputBits} bits), ` +
    `weights of ${layer.weightBits} bits, |accumulator| <= ${layer.largestBound} < ${layer.halfPlainModulus}, ` +
    `noise margin ${layer.noiseMarginBits.toFixed(4)} bits; ` +
    `${layer.ciphertextsUp} + ${layer.ciphertextsDown} ciphertexts, ` +
    `${megabytes(layer.bytesUp)} + ${megabytes(layer.bytesDown)}, ${layer.products} products`
  );
}

/** What private mode aims at for a whole slice. */
const aimedDistanceBits = 40;

function describePrivate(report: NonNullable<ImportReport['private']>): string[] {
  const { seconds } = report;
  return [
    ...report.layers.map(
      ({ layer, accumulatorBits, shift, clampBits, activations, ...distance }) =>
        `  private layer ${layer}: ${activations} activations of ${accumulatorBits} bits, divided by 2^${shift}, ` +
        `${clampBits === 0 ? 'opened' : `clamped to ${clampBits} bits`}; what the noise can tell: ` +
        `2^-${distance.coefficientDistanceBits} a coefficient, ` +
        `2^-${distance.distanceBits} a layer`,
    ),
    `  private, a slice of ${report.side}x${report.side}: ${report.activations} activations, ${report.rounds} rounds, ` +
      `${megabytes(report.ciphertextBytes)} of ciphertexts; activations ${megabytes(report.offlineBytes)} before the image ` +
      `is there and ${megabytes(report.onlineBytes)} after, ${seconds.offline.toFixed(1)} s and ` +
      `${seconds.online.toFixed(1)} s for both sides on one core here; statistical distance 2^-${report.distanceBits}` +
      (report.distanceBits < aimedDistanceBits
        ? `, more than the 2^-${aimedDistanceBits} that is aimed at`
        : ''),
  ];
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

async function readCard(path: string): Promise<ModelCard> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new DenoiseError('FILE_UNREADABLE', { path }, { cause: error });
  });
  try {
    return cardSchema.parse(JSON.parse(text));
  } catch (error) {
    throw new DenoiseError(
      'MODEL_INVALID',
      { path, reason: 'the card is not a JSON object' },
      { cause: error },
    );
  }
}
