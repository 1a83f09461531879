#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import { DenoiseError, type ErrorCode } from '@cipherdose/sdk/errors';
import { addDenoiseCommand } from './denoise-command.ts';
import { addDoctorCommand } from './doctor-command.ts';
import { addEvaluateCommand } from './evaluate-command.ts';
import { addModelsCommand } from './models-command.ts';
import { packageVersion } from './package-version.ts';

/** Exit codes: done; something failed, and was named; the command line asks for what cannot be. */
const exitCodes = { done: 0, failed: 1, usage: 2 } as const;

const usageCodes: ReadonlySet<ErrorCode> = new Set(['USAGE', 'MODEL_UNKNOWN', 'MODE_UNSUPPORTED']);

const program = new Command('cipherdose')
  .description('Denoises low-dose CT on a model host that only ever sees ciphertext')
  .version(packageVersion)
  .helpCommand(false)
  .showHelpAfterError('(see --help)')
  .exitOverride();
// Each returns whether all went well; sub-commands inherit the settings above.
addDenoiseCommand(program, succeed);
addModelsCommand(program, succeed);
addDoctorCommand(program, succeed);
addEvaluateCommand(program, succeed);

function succeed(allWell: boolean): void {
  process.exitCode = allWell ? exitCodes.done : exitCodes.failed;
}

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = exitCodeOf(error);
}

/** Commander has told its own errors already. */
function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.usage;
  const known = DenoiseError.wrap(error, 'UNEXPECTED');
  const { code, message } = known;
  process.stderr.write(`cipherdose: ${code}: ${message}\n`);
  if (process.argv.includes('--json'))
    process.stdout.write(`${JSON.stringify({ error: { code, message } })}\n`);
  if (code === 'UNEXPECTED') process.stderr.write(`${String((error as Error).stack ?? error)}\n`);
  return usageCodes.has(code) ? exitCodes.usage : exitCodes.failed;
}
