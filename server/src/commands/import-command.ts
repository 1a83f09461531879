import { readFile } from 'node:fs/promises';
import { DenoiseError } from '@cipherdose/sdk/errors';
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
  ].join('\n');
}

function describeLayer(layer: ImportReport['layerReports'][number]): string {
  const shape = `${layer.inChannels}-${layer.outChannels} ${layer.kernel.join('x')}`;
  const stride = layer.stride === 1 ? '' : ` stride ${layer.stride}`;
  return (
    `  layer ${layer.layer} (${shape}${stride}): inputs ${layer.inputLow}..${layer.inputHigh} (${layer.inputBits} bits), ` +
    `weights of ${layer.weightBits} bits, |accumulator| <= ${layer.largestBound} < ${layer.halfPlainModulus}, ` +
    `noise margin ${layer.noiseMarginBits.toFixed(4)} bits; ` +
    `${layer.ciphertextsUp} + ${layer.ciphertextsDown} ciphertexts, ` +
    `${megabytes(layer.bytesUp)} + ${megabytes(layer.bytesDown)}, ${layer.products} products`
  );
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
