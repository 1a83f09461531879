#!/usr/bin/env -S node --max-semi-space-size=1
// A small young generation: messages of megabytes are given back soon. examples/deploy starts it alike.
import { CommanderError, type Command } from 'commander';
import { DenoiseError } from '@cipherdose/sdk/errors';
import { serverProgram } from './commands/server-program.ts';

/** Exit codes: 0 done, 1 failed, 2 the command line or configuration is not valid. */
async function run(program: Command): Promise<number> {
  try {
    await program.parseAsync();
    return 0;
  } catch (error) {
    // Commander has said what is wrong; its code is 0 where somebody asked for help.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    const known = DenoiseError.wrap(error, 'INTERNAL');
    process.stderr.write(`${known.code}: ${known.code === 'INTERNAL' ? String(error) : known.message}\n`);
    return known.code === 'USAGE' || known.code === 'CONFIG_INVALID' ? 2 : 1;
  }
}

const lineTo =
  (stream: NodeJS.WritableStream) =>
  (line: string): void =>
    void stream.write(`${line}\n`);

process.exitCode = await run(serverProgram(lineTo(process.stderr), lineTo(process.stdout)));
