import { Command } from 'commander';
import { loadConfig } from '../config-sources.ts';
import { packageVersion } from '../package-version.ts';
import { describeImport, runImport } from './import-command.ts';
import { keysCommand, type Print } from './keys-command.ts';
import { runServe, type ServeFlags } from './serve-command.ts';

interface ImportFlags {
  readonly id: string;
  readonly version: string;
  readonly calibrate: string;
  readonly models?: string;
  readonly config?: string;
  readonly card?: string;
  readonly summary?: string;
  readonly overwrite?: true;
  readonly parameters?: string;
  readonly private?: true;
  readonly modes?: string;
  readonly json?: true;
}

/**
 * The command line of `cipherdose-server`: serves, unless a subcommand is named.
 * @param tell takes messages to people
 * @param print takes results
 */
export function serverProgram(tell: Print, print: Print): Command {
  const program = new Command('cipherdose-server')
    .description('Model host that evaluates denoising networks on encrypted CT images')
    .version(packageVersion)
    .enablePositionalOptions()
    .exitOverride()
    .option('--config <file>', 'JSON or YAML; the environment (CIPHERDOSE_PORT=...) and flags win over it')
    .option('--models <folder>', 'folder of models')
    .option('--host <address>', 'address to listen on')
    .option('--port <number>', 'port to listen on; 0 takes a free one')
    .option('--keys-file <file>', 'file of hashed API keys')
    .option('--open', 'take requests without an API key, from this machine only')
    .option('--open-to-network', 'with --open: from everywhere')
    .option('--threads <number>', 'evaluation threads')
    .option('--cors-origins <origins...>', 'web pages that may ask, for example https://viewer.example.org')
    .option('--log-level <level>', 'fatal, error, warn, info, debug or silent')
    .action((flags: ServeFlags) => runServe(flags, tell));
  program.addCommand(importCommand(print));
  program.addCommand(keysCommand(print));
  for (const command of everyCommand(program)) command.exitOverride();
  return program;
}

const importCommand = (print: Print): Command =>
  new Command('import')
    .description('quantises an ONNX model and installs it')
    .argument('<model>', 'ONNX file')
    .requiredOption('--id <id>', 'name in addresses: small letters, digits, dots and dashes')
    .requiredOption('--version <version>', 'for example 1.0.0')
    .requiredOption('--calibrate <path>', 'slices like those that the model will see, DICOM or raw')
    .option('--models <folder>', 'folder of models')
    .option('--config <file>', 'configuration of the host, JSON or YAML')
    .option('--card <file>', 'model card, JSON')
    .option('--summary <text>', 'one line for people who choose a model')
    .option('--overwrite', 'replace a model with this id and version')
    .option(
      '--parameters <name>',
      'HE parameter set, or auto for the one with the fewest bytes that loses nothing',
    )
    .option('--private', 'quantise for private mode, in which the client does not see the weights at work')
    .option(
      '--modes <list>',
      'ways in which the model may be run, separated by commas; default: private with --private, else interactive',
    )
    .option('--json', 'print the report as JSON')
    .action(async (model: string, { config: file, models, json, ...flags }: ImportFlags) => {
      const config = await loadConfig({ file, environment: process.env, flags: { models } });
      const report = await runImport({ ...flags, model, models: config.models });
      print(json ? JSON.stringify(report) : describeImport(report));
    });

const everyCommand = (command: Command): Command[] => [command, ...command.commands.flatMap(everyCommand)];
