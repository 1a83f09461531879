import { Option, type Command } from 'commander';
import type { Mode } from '@cipherdose/sdk';
import { DenoiseError } from '@cipherdose/sdk/errors';
import { modeDisclosure, modes } from '@cipherdose/sdk/protocol';
import { collectInputs } from './collect-inputs.ts';
import { apiKeyFileOption, jsonOption, percentage, positiveInteger, serverOption } from './common-options.ts';
import { consoleOutput } from './console-output.ts';
import { denoiseFiles } from './denoise-files.ts';
import { clientOf, reachHost } from './embedded-host.ts';
import { progressDisplay } from './progress-bar.ts';

interface Options {
  readonly out: string;
  readonly server?: string;
  readonly model: string;
  readonly mode?: Mode;
  readonly json?: true;
  readonly apiKeyFile?: string;
  readonly workers?: number;
  readonly strength: number;
}

const help = `
No model can tell how low the dose was. For half the usual dose --strength 60 suits those that come along; full strength,
the default, is for a quarter or less.
Derived files go to a folder for each series below DIR. Running again gives the same files: the same UIDs and pixels.
What each side learns:
${modes.map((mode) => `  ${mode}: ${modeDisclosure[mode]}`).join('\n')}
With --json: {model, mode, slices: {done, failed}, failures: [{file, code, message}], secondsPerSlice, bytesUp,
bytesDown, out}; byte counts are those of one slice.
Exit code: 0 done, 1 a slice failed (each is named with code and reason, the others are done), 2 usage.`;

export function addDenoiseCommand(program: Command, finish: (allWell: boolean) => void): void {
  program
    .command('denoise')
    .description('denoises CT slices: uncompressed DICOM files, or folders of them')
    .argument('<input...>', 'files or folders')
    .requiredOption('--out <dir>', 'folder for the derived files')
    .addOption(serverOption)
    .option('--model <id>', 'model of the host', 'balanced')
    .addOption(
      new Option('--mode <mode>', 'how it is evaluated; default: as the model prefers').choices(modes),
    )
    .option('--strength <percent>', 'how much of the result to mix in, 1 to 100', percentage, 100)
    .addOption(jsonOption)
    .addOption(apiKeyFileOption)
    .option('--workers <n>', 'threads that encrypt and decrypt', positiveInteger)
    .addHelpText('after', help)
    .action(async (inputs: string[], options: Options) => finish(await denoise(inputs, options)));
}

async function denoise(inputs: readonly string[], options: Options): Promise<boolean> {
  const { out } = options;
  const files = await collectInputs(inputs, out);
  if (files.length === 0) throw new DenoiseError('USAGE', { reason: 'no files in the folders given' });
  const interrupt = new AbortController();
  process.once('SIGINT', () => interrupt.abort());

  await using host = await reachHost(options);
  using client = clientOf(host, options.workers === undefined ? {} : { workers: options.workers });
  const model = await client.model(options.model, interrupt.signal);
  const mode = options.mode ?? (model.modes[0] as Mode);
  if (!model.modes.includes(mode))
    throw new DenoiseError('MODE_UNSUPPORTED', { model: model.id, mode, offered: model.modes.join(' ') });

  const output = consoleOutput(options.json ?? false);
  output.line(`Mode ${mode}: ${modeDisclosure[mode]}`);
  const progress = progressDisplay(model.id);
  const report = await denoiseFiles(client, files, {
    model,
    mode,
    strengthPercent: options.strength,
    out,
    timestamp: new Date(),
    signal: interrupt.signal,
    onProgress: (step) => progress.update(step),
  });
  progress.stop();
  const { failures, outputs, secondsPerSlice, bytesUp, bytesDown } = report;
  for (const line of report.lines(out)) output.line(line);
  const slices = { done: outputs.size, failed: failures.length };
  output.result({ model: model.id, mode, slices, failures, secondsPerSlice, bytesUp, bytesDown, out });
  return failures.length === 0;
}
