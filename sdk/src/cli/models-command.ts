import type { Command } from 'commander';
import { apiKeyFileOption, jsonOption, serverOption } from './common-options.ts';
import { consoleOutput } from './console-output.ts';
import { clientOf, reachHost } from './embedded-host.ts';
import { formatBytes, formatTable } from './format.ts';

interface Options {
  readonly server?: string;
  readonly json?: true;
  readonly apiKeyFile?: string;
}

export function addModelsCommand(program: Command, finish: (allWell: boolean) => void): void {
  program
    .command('models')
    .description('lists the models of a host, with what a 512x512 slice costs')
    .addOption(serverOption)
    .addOption(apiKeyFileOption)
    .addOption(jsonOption)
    .action(async (options: Options) => {
      await listModels(options);
      finish(true);
    });
}

async function listModels(options: Options): Promise<void> {
  await using host = await reachHost(options);
  using client = clientOf(host);
  const models = await client.models();
  const output = consoleOutput(options.json ?? false);
  const rows = models.map(({ id, version, modes, cost, summary }) => [
    id,
    version,
    modes.join(', '),
    String(cost.rounds),
    formatBytes(cost.bytesUp),
    formatBytes(cost.bytesDown),
    summary,
  ]);
  const table = formatTable([['MODEL', 'VERSION', 'MODES', 'ROUNDS', 'UP', 'DOWN', 'SUMMARY'], ...rows]);
  for (const line of table) output.line(line);
  output.result({ models });
}
