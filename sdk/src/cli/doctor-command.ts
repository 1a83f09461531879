import type { Command } from 'commander';
import { apiKeyFileOption, jsonOption, serverOption } from './common-options.ts';
import { consoleOutput } from './console-output.ts';
import { clientOf, reachHost, type ReachedHost } from './embedded-host.ts';
import { find, type Finding } from './finding.ts';
import { formatTable } from './format.ts';
import { checkServer, checkTls } from './host-checks.ts';
import { checkKnownAnswer } from './known-answer.ts';
import { checkNode, checkSimd, checkThreads } from './machine-checks.ts';

interface Options {
  readonly server?: string;
  readonly json?: true;
  readonly apiKeyFile?: string;
}

const help = `
The known answer is a small phantom, sent encrypted through each model. With --json: {ok, checks: [{name, status,
detail}]}, status ok, warning, skipped or failed. Exit code 1 if a check failed.`;

export function addDoctorCommand(program: Command, finish: (allWell: boolean) => void): void {
  program
    .command('doctor')
    .description('checks this machine, and the way to a host and back')
    .addOption(serverOption)
    .addOption(apiKeyFileOption)
    .addOption(jsonOption)
    .addHelpText('after', help)
    .action(async (options: Options) => finish(await examine(options)));
}

async function examine(options: Options): Promise<boolean> {
  const machine = [checkNode(), checkSimd(), await find('worker threads', checkThreads)];
  await using host = await reachHost(options);
  const checks = [...machine, ...(await checkHost(host))];
  const ok = checks.every(({ status }) => status !== 'failed');
  const output = consoleOutput(options.json ?? false);
  for (const line of formatTable(checks.map(({ status, name, detail }) => [status, name, detail])))
    output.line(line);
  output.result({ ok, checks });
  return ok;
}

async function checkHost(host: ReachedHost): Promise<readonly Finding[]> {
  const [server, ...further] = await checkServer(host.url);
  const findings = [server as Finding, ...further, await find('TLS', () => checkTls(host.url))];
  if (server?.status !== 'ok')
    return [...findings, { name: 'known answer', status: 'skipped', detail: 'no server' }];
  using client = clientOf(host, { attempts: 1 });
  const answers: Finding[] = [];
  const listed = await find('models', async () => {
    const models = await client.models();
    for (const model of models)
      answers.push(await find(`known answer: ${model.id}`, () => checkKnownAnswer(client, model)));
    return {
      name: 'models',
      status: 'ok',
      detail: models.map(({ id, version }) => `${id} ${version}`).join(', '),
    };
  });
  return [...findings, listed, ...answers];
}
