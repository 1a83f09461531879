// npm run bench:private [-- --json --slices N --kernel 5x17 --hidden 16]: a random network in interactive
// and in private mode in one run, host and client in processes of their own on this machine. On shared machines quote
// ratios of one run.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Mode, SliceStatistics } from '@cipherdose/sdk';
import { importModel } from '#server/registry/import-model.js';
import { readCalibration } from '#server/registry/read-calibration.js';
import { privateOnnx } from '../support/private-onnx.ts';
import { repositoryRoot } from './sample-images.ts';
import { benchSeries, type BothSidesFigures } from './slice-bench.ts';

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    slices: { type: 'string', default: '5' },
    kernel: { type: 'string', default: '5x17' },
    hidden: { type: 'string', default: '16' },
  },
});
const slices = Number(values.slices);
const [rows = 5, columns = 17] = values.kernel.split('x').map(Number);
const hidden = Number(values.hidden);
const say = (line: string): void => console.error(line);

const root = await mkdtemp(join(tmpdir(), 'cipherdose-bench-'));
try {
  const [onnxPath, models] = [join(root, 'model.onnx'), join(root, 'models')];
  await writeFile(onnxPath, privateOnnx({ hidden, kernel: [rows, columns] }));
  say(`import: 18 -> ${hidden} -> 16 channels, kernel ${rows}x${columns} ...`);
  const report = await importModel({
    onnxPath,
    id: 'bench',
    version: '1.0.0',
    modelsDirectory: models,
    calibration: await readCalibration(
      fileURLToPath(new URL('examples/train-denoiser/calibration', repositoryRoot)),
    ),
    private: true,
    modes: ['interactive', 'private'],
  });
  const activations = report.private?.activations ?? 0;
  const runs: Partial<Record<Mode, BothSidesFigures>> = {};
  for (const mode of ['interactive', 'private'] as const) {
    say(`one slice, then ${slices} slices, ${mode} ...`);
    runs[mode] = await benchSeries('bench', slices, { mode, models });
  }
  const figures = { activations, ...runs };
  if (values.json) console.log(JSON.stringify(figures));
  else for (const line of lines(runs, activations)) console.log(line);
} finally {
  await rm(root, { recursive: true });
}

function lines(runs: Partial<Record<Mode, BothSidesFigures>>, activations: number): string[] {
  return [
    `${activations} activations a slice`,
    ...Object.entries(runs).flatMap(([mode, run]) => [
      `${mode}: ${run.rounds} rounds, ${megabytes(run.bytesUp)} up, ${megabytes(run.bytesDown)} down`,
      ...(run.alone
        ? [`  one slice alone: ${run.alone.seconds.toFixed(2)} s`, ...phaseLines(run.alone.phases)]
        : []),
      `  in a series: ${run.secondsPerSlice.toFixed(2)} s a slice`,
      `  CPU an activation: client ${perActivation(run.clientCpuSeconds)}, host ${perActivation(run.hostCpuSeconds)}`,
      `  memory, peaks: client ${run.clientAlonePeakMiB} MiB and host ${run.hostAlonePeakMiB} MiB with one slice, ` +
        `${run.clientPeakMiB} MiB and ${run.hostPeakMiB} MiB in a series`,
    ]),
  ];

  function perActivation(seconds: number): string {
    return `${((seconds * 1e6) / activations).toFixed(2)} us`;
  }
}

function phaseLines(phases: SliceStatistics['phases']): string[] {
  return (['offline', 'online'] as const).flatMap((part) => {
    const phase = phases?.[part];
    if (!phase) return [];
    const { seconds, bytesUp, bytesDown } = phase;
    return [`    ${part}: ${seconds.toFixed(2)} s, ${megabytes(bytesUp)} up, ${megabytes(bytesDown)} down`];
  });
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
