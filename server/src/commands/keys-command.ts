import { Command } from 'commander';
import { DenoiseError } from '@cipherdose/sdk/errors';
import { loadConfig } from '../config-sources.ts';
import { issueKey, readKeyFile, revokeKey, writeKeyFile, type KeyRecord } from '../keys/key-file.ts';

/** Takes what a command says, line by line. */
export type Print = (line: string) => void;

/** `cipherdose-server keys add NAME | list | revoke ID` */
export function keysCommand(print: Print): Command {
  const command = new Command('keys').description('API keys of the host');
  withKeysFile(command, 'add')
    .argument('<name>', 'whom the key is for')
    .description('makes a key and shows it once')
    .action(async (name: string, _options, self: Command) => addKey(await keysFileOf(self), name, print));
  withKeysFile(command, 'list')
    .description('ids, dates and names; the keys themselves are not kept')
    .action(async (_options, self: Command) => listKeys(await keysFileOf(self), print));
  withKeysFile(command, 'revoke')
    .argument('<id>', 'as listed')
    .description('refuses a key from now on; a running host knows at once')
    .action(async (id: string, _options, self: Command) => {
      const file = await keysFileOf(self);
      await writeKeyFile(file, revokeKey(await readKeyFile(file), id, new Date()));
      print(`revoked ${id}`);
    });
  return command;
}

const withKeysFile = (parent: Command, name: string): Command =>
  parent
    .command(name)
    .option('--config <file>', 'configuration of the host, JSON or YAML')
    .option('--keys-file <file>', 'file of hashed keys');

async function keysFileOf(command: Command): Promise<string> {
  const { config, keysFile } = command.optsWithGlobals<{ config?: string; keysFile?: string }>();
  return (await loadConfig({ file: config, environment: process.env, flags: { keysFile } })).keysFile;
}

async function addKey(file: string, name: string, print: Print): Promise<void> {
  const { key, record } = issueKey(name, new Date());
  await writeKeyFile(file, [...(await existingKeys(file)), record]);
  print(`key ${record.id} for ${name}, kept only as a hash in ${file}; it is shown this once:`);
  print(key);
}

async function listKeys(file: string, print: Print): Promise<void> {
  for (const { id, name, created, revoked } of await existingKeys(file))
    print([id, created, revoked === undefined ? 'valid' : `revoked ${revoked}`, name].join('  '));
}

async function existingKeys(file: string): Promise<readonly KeyRecord[]> {
  try {
    return await readKeyFile(file);
  } catch (error) {
    const missing = error instanceof DenoiseError && (error.cause as NodeJS.ErrnoException).code === 'ENOENT';
    if (missing) return [];
    throw error;
  }
}
