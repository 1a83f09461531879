import { open, type FileHandle } from 'node:fs/promises';
import { InvalidArgumentError, type Command } from 'commander';
import { DenoiseError } from '@cipherdose/sdk/errors';
import { blend, quality, type HuImage, type Quality } from '@cipherdose/sdk/image';
import { limits } from '@cipherdose/sdk/protocol';
import { Assessment, reportLines } from './assess.ts';
import { jsonOption, percentage } from './common-options.ts';
import { consoleOutput } from './console-output.ts';
import { shippedModel, type ClearEvaluator } from './shipped-models.ts';
import { systemCode } from './slice-files.ts';

interface Shape {
  readonly slices: number;
  readonly height: number;
  readonly width: number;
}

interface Options {
  readonly low: string;
  readonly reference: string;
  readonly shape: Shape;
  readonly model: string;
  readonly strength: number;
  readonly json?: true;
  readonly report?: true;
}

const help = `
Files hold int16 HU, little endian, slice by slice, row by row, and nothing else. Figures are taken on images clipped
to -160..240 HU with a data range of 400, and are means over the slices: PSNR in dB, SSIM with a uniform 7x7 window,
RMSE in HU. With --json: {psnrIn, psnrOut, ssimIn, ssimOut, rmseIn, rmseOut}, In for the low dose, Out for the model.
With --report also: the noise power spectrum in soft tissue, what is left of a faint disc and how sharp its edge is,
and the bias of lung, fat, soft tissue and bone (by the median of 5x5 pixels of the reference); in JSON as {report}.`;

export function addEvaluateCommand(program: Command, finish: (allWell: boolean) => void): void {
  program
    .command('evaluate')
    .description('measures a model against a reference, with the clear integer evaluator')
    .requiredOption('--low <file.i16>', 'low-dose volume')
    .requiredOption('--reference <file.i16>', 'normal-dose volume')
    .requiredOption('--shape <z,y,x>', 'slices, rows and columns of both', parseShape)
    .option('--model <id>', 'a model that comes along', 'balanced')
    .option('--strength <percent>', 'how much of the result to mix in, 1 to 100', percentage, 100)
    .option('--report', 'also noise texture, edge sharpness and bias of tissues')
    .addOption(jsonOption)
    .addHelpText('after', help)
    .action(async (options: Options) => {
      await evaluate(options);
      finish(true);
    });
}

/** SSIM needs 7 rows and columns. */
const smallestSide = 7;

function parseShape(text: string): Shape {
  const [slices = 0, height = 0, width = 0, ...more] = text
    .split(',')
    .map((part) => (/^\d{1,9}$/.test(part) ? Number(part) : 0));
  const sides = [height, width].every((side) => side >= smallestSide && side <= limits.imageSide);
  if (more.length > 0 || slices < 1 || !sides)
    throw new InvalidArgumentError(`Not Z,Y,X with sides of ${smallestSide} to ${limits.imageSide} pixels.`);
  return { slices, height, width };
}

async function evaluate(options: Options): Promise<void> {
  const { shape } = options;
  await using low = await openVolume('--low', options.low, shape);
  await using reference = await openVolume('--reference', options.reference, shape);
  const model = await shippedModel(options.model);
  const denoise: ClearEvaluator = (image) => blend(image, model(image), options.strength);
  const assessment = options.report ? new Assessment(denoise) : undefined;
  const [before, after]: [Quality[], Quality[]] = [[], []];
  for (let z = 0; z < shape.slices; z++) {
    const [image, target] = [await readPlane(low, shape, z), await readPlane(reference, shape, z)];
    const denoised = denoise(image);
    before.push(quality(image, target));
    after.push(quality(denoised, target));
    assessment?.add(image, denoised, target);
  }
  const figures = {
    ...{ psnrIn: mean(before, 'psnr'), psnrOut: mean(after, 'psnr') },
    ...{ ssimIn: mean(before, 'ssim'), ssimOut: mean(after, 'ssim') },
    ...{ rmseIn: mean(before, 'rmse'), rmseOut: mean(after, 'rmse') },
  };
  const output = consoleOutput(options.json ?? false);
  output.line(`PSNR  ${figures.psnrIn.toFixed(2)} -> ${figures.psnrOut.toFixed(2)} dB`);
  output.line(`SSIM  ${figures.ssimIn.toFixed(4)} -> ${figures.ssimOut.toFixed(4)}`);
  output.line(`RMSE  ${figures.rmseIn.toFixed(2)} -> ${figures.rmseOut.toFixed(2)} HU`);
  const report = assessment?.report();
  for (const line of report ? reportLines(report) : []) output.line(line);
  output.result(report ? { ...figures, report } : figures);
}

const mean = (list: readonly Quality[], figure: keyof Quality): number =>
  list.reduce((sum, one) => sum + one[figure], 0) / list.length;

/** @throws FILE_UNREADABLE, USAGE if the file is not of this shape */
async function openVolume(
  option: string,
  file: string,
  { slices, height, width }: Shape,
): Promise<FileHandle> {
  const handle = await open(file).catch((error: unknown) => {
    throw new DenoiseError('FILE_UNREADABLE', { file, reason: systemCode(error) }, { cause: error });
  });
  const expected = slices * height * width * 2;
  const { size } = await handle.stat();
  if (size === expected) return handle;
  await handle.close();
  throw new DenoiseError('USAGE', { option, bytes: size, expected });
}

/** Slice z of a volume. Typed arrays are little endian wherever Node runs. */
async function readPlane(volume: FileHandle, { height, width }: Shape, z: number): Promise<HuImage> {
  const hu = new Int16Array(height * width);
  const bytes = new Uint8Array(hu.buffer);
  const { bytesRead } = await volume.read(bytes, 0, bytes.length, z * bytes.length);
  if (bytesRead !== bytes.length) throw new DenoiseError('FILE_UNREADABLE', { reason: 'it became shorter' });
  return { width, height, hu };
}
