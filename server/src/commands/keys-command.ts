import { Command } from 'commander';
import { DenoiseError } from '@cipherdose/sdk/errors';
import { issueKey, readKeyFile, revokeKey, writeKeyFile, type KeyRecord } from '../keys/key-file.ts';

/** What the command says, line by line. */
export type Print = (line: string) => void;

/** `cipherdose-server keys add NAME | list | revoke ID`; `keysFile` finds the file once the options are known. */
export function keysCommand(keysFile: () => Promise<string>, print: Print): Command {
  const command = new Command('keys').description('API keys of the host');
  command
    .command('add')
    .argument('<name>', 'whom the key is for')
    .description('makes a key and shows it once')
    .action(async (name: string) => addKey(await keysFile(), name, print));
  command
    .command('list')
    .description('names, ids and dates; the keys themselves are not kept')
    .action(async () => listKeys(await keysFile(), print));
  command
    .command('revoke')
    .argument('<id>', 'as listed')
    .description('refuses a key from now on')
    .action(async (id: string) => {
      const file = await keysFile();
      await writeKeyFile(file, revokeKey(await readKeyFile(file), id, new Date()));
      print(`revoked ${id}`);
    });
  return command;
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
