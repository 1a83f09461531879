/**
 * npm run demo [-- --json] [--model ID]... [--slices N] [--out DIR]
 *
 * A low-dose CT series goes encrypted through a model host, over HTTP, and comes back as new DICOM files; then every
 * pixel is compared with the same model in the clear, and with the normal dose.
 */
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { DenoiseClient } from '@cipherdose/sdk';
import { DenoiseError } from '@cipherdose/sdk/errors';
import { consoleOutput } from '@cipherdose/sdk/internal/cli/console-output.js';
import { denoiseFiles } from '@cipherdose/sdk/internal/cli/denoise-files.js';
import { clientOf, reachHost } from '@cipherdose/sdk/internal/cli/embedded-host.js';
import { formatBytes } from '@cipherdose/sdk/internal/cli/format.js';
import { progressDisplay } from '@cipherdose/sdk/internal/cli/progress-bar.js';
import { shippedModel } from '@cipherdose/sdk/internal/cli/shipped-models.js';
import { beforeAfterPng } from './before-after.ts';
import { judgeSeries, readImage, type SliceFiles } from './judge-series.ts';

const series = fileURLToPath(new URL('../sample-series/', import.meta.url));

const usage = 'npm run demo [-- --json] [--model ID]... [--slices N] [--out DIR]';

const options = readOptions();
const { line, result } = consoleOutput(options.json);
const names = (await readdir(join(series, 'low-dose'))).sort().slice(0, Number(options.slices));

await using host = await reachHost({});
using client = clientOf(host);
line(`${names.length} low-dose slices, and a model host at ${host.url} that never sees one`);
const runs = [];
for (const id of options.model) runs.push(await runModel(client, id).catch(endWith));
await writePicture(runs[0]?.slices ?? []);
// The model named first comes last, where programs look for it.
for (const { figures } of runs.toReversed()) result(figures);
if (!runs.every(({ figures }) => figures.exact)) process.exitCode = 1;

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        json: { type: 'boolean', default: false },
        model: { type: 'string', multiple: true, default: ['balanced', 'linear'] },
        slices: { type: 'string', default: '1000' },
        out: { type: 'string', default: 'out' },
        help: { type: 'boolean', default: false },
      },
    });
    if (!/^[1-9]\d{0,3}$/.test(values.slices)) throw new Error('--slices is not a number from 1 on');
    if (!values.help) return values;
    process.stdout.write(`${usage}\n`);
    process.exit(0);
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n${usage}\n`);
    process.exit(2);
  }
}

/** Something a user can set right, like the name of a model, needs no stack. */
function endWith(error: unknown): never {
  const { code, message } = DenoiseError.wrap(error, 'UNEXPECTED');
  if (code === 'UNEXPECTED') throw error;
  process.stderr.write(`${code}: ${message}\n`);
  process.exit(1);
}

async function runModel(client: DenoiseClient, id: string) {
  const model = await client.model(id);
  const [mode = 'interactive'] = model.modes;
  const out = join(options.out, id);
  const files = names.map((name) => join(series, 'low-dose', name));
  const progress = progressDisplay(id);
  const onProgress = progress.update;
  const report = await denoiseFiles(client, files, { model, mode, out, timestamp: new Date(), onProgress });
  progress.stop();
  if (report.failures.length > 0) throw new Error(report.lines(out).join('\n'));

  const { secondsPerSlice, bytesUp, bytesDown, outputs } = report;
  const slices = files.map((lowDose, i): SliceFiles => {
    const normalDose = join(series, 'normal-dose', names[i] as string);
    return { lowDose, denoised: outputs.get(lowDose) as string, normalDose };
  });
  const verdict = await judgeSeries(slices, await shippedModel(id, model.digest));
  const cost = { secondsPerSlice, bytesUp, bytesDown };
  const figures = { model: id, mode, slices: slices.length, ...verdict, ...cost, out };
  tell(figures, model.version);
  return { figures, slices };
}

type Figures = Awaited<ReturnType<typeof runModel>>['figures'];

function tell(figures: Figures, version: string): void {
  const { psnrIn, psnrOut, ssimIn, ssimOut, exact, maxAbsDiff, secondsPerSlice } = figures;
  const gain = psnrOut - psnrIn;
  line(
    `model ${figures.model} ${version}, ${figures.mode} framework, ${figures.slices} slices into ${figures.out}`,
  );
  line(`  against the clear   ${exact ? 'every pixel is equal' : `DIFFERENT by up to ${maxAbsDiff} HU`}`);
  line(
    `  PSNR (-160..240 HU) ${psnrIn.toFixed(2)} -> ${psnrOut.toFixed(2)} dB (${gain > 0 ? '+' : ''}${gain.toFixed(2)})`,
  );
  line(`  SSIM (-160..240 HU) ${ssimIn.toFixed(4)} -> ${ssimOut.toFixed(4)}`);
  line(`  time                ${secondsPerSlice.toFixed(2)} s a slice`);
  line(
    `  traffic             ${formatBytes(figures.bytesUp)} up, ${formatBytes(figures.bytesDown)} down a slice`,
  );
}

/** The middle slice, before and after. */
async function writePicture(slices: readonly SliceFiles[]): Promise<void> {
  const middle = slices[Math.floor(slices.length / 2)];
  if (!middle) return;
  const [lowDose, denoised, normalDose] = [
    await readImage(middle.lowDose),
    await readImage(middle.denoised),
    await readImage(middle.normalDose),
  ];
  const file = join(options.out, 'before-after.png');
  await writeFile(file, beforeAfterPng(lowDose, denoised, normalDose));
  line(`picture: ${file} (low dose, denoised; what was removed, normal dose)`);
}
