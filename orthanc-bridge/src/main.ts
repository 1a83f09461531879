#!/usr/bin/env node
import { text } from 'node:stream/consumers';
import { setFlagsFromString } from 'node:v8';
import { Command, InvalidArgumentError } from 'commander';
import { DenoiseError } from '@cipherdose/sdk/errors';
import { verifyAuditTrail } from './audit/audit-trail.ts';
import { auditFile, controlSocket, startBridge } from './bridge.ts';
import { loadConfig } from './config/load-config.ts';
import { sendOrder, type ControlOrder } from './control/control-server.ts';
import { answers } from './control/folder-lock.ts';
import { dryRun, type DryRunResult } from './dry-run.ts';
import { packageVersion } from './package-version.ts';
import { hashPassword } from './status/passwords.ts';

/** As NIST SP 800-63B asks of a password that stands alone. */
const shortestPassword = 15;

// Megabytes of buffers come and go with every slice, so that V8 marks the heap several times a second. In one pause, which
// nobody feels here, that takes half of the time that many small steps take.
setFlagsFromString('--no-incremental-marking');

const program = new Command('cipherdose-bridge')
  .description(
    'Sends matching CT series of an Orthanc to a model host as ciphertext and writes them back denoised',
  )
  .version(packageVersion)
  .option('--config <file>', 'YAML or JSON configuration', 'bridge.yaml')
  .action(run);

const configFile = (): string => program.opts<{ config: string }>().config;

program
  .command('dry-run')
  .description('Print which rule would take each series that is there, and why not; changes nothing')
  .option('--limit <n>', 'look at this many series of each Orthanc', count, 1000)
  .option('--json', 'one JSON object a line')
  .action(async ({ limit, json }: { limit: number; json?: true }) => {
    for await (const result of dryRun(await loadConfig(configFile()), limit))
      print(json ? JSON.stringify({ ...result, rule: result.rule?.name }) : describe(result));
  });

program
  .command('replay <job>')
  .description('Take up a failed or quarantined job again')
  .action((job: string) => order({ order: 'replay', job }));
program
  .command('pause')
  .description('Start no other series until resume')
  .action(() => order({ order: 'pause' }));
program
  .command('resume')
  .description('Start series again')
  .action(() => order({ order: 'resume' }));
program
  .command('hash-password')
  .description('Read a password from standard input and print what belongs into status.users')
  .action(async () => {
    const [password = ''] = (await text(process.stdin)).split(/\r?\n/);
    if (password.length < shortestPassword)
      throw new DenoiseError('USAGE', { reason: `give at least ${shortestPassword} characters` });
    print(await hashPassword(password));
  });
program
  .command('verify-audit')
  .description('Check that no entry of the audit trail was changed or removed')
  .action(async () => {
    const { dataFolder } = await loadConfig(configFile());
    const { entries, brokenAt } = await verifyAuditTrail(auditFile(dataFolder));
    print(
      brokenAt === undefined
        ? `${entries} entries, whole`
        : `entry ${brokenAt} does not follow from the one before`,
    );
    if (brokenAt !== undefined) process.exitCode = 1;
  });

async function run(): Promise<void> {
  const bridge = await startBridge(await loadConfig(configFile()));
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve());
  });
  await bridge.close();
}

/** Orders go to the bridge that runs with this data folder; without one, a bridge is started for the order alone. */
async function order(what: ControlOrder): Promise<void> {
  const config = await loadConfig(configFile());
  const socket = controlSocket(config.dataFolder);
  if (await answers(socket)) return sendOrder(socket, what);
  const bridge = await startBridge({ ...config, logLevel: 'silent' }, { idle: true });
  try {
    if (what.order === 'replay') await bridge.replay(what.job, 'command line');
    else await bridge[what.order]('command line');
  } finally {
    await bridge.close();
  }
}

function describe({ orthanc, series, instances, rule, refused }: DryRunResult): string {
  const reasons = refused.map((refusal) => `\n    not ${refusal.rule}: ${refusal.reasons.join('; ')}`);
  return `${orthanc} ${series} (${instances}): ${rule?.name ?? 'no rule'}${reasons.join('')}`;
}

function count(text: string): number {
  if (!/^[1-9]\d{0,6}$/.test(text)) throw new InvalidArgumentError('is not a number from 1 on');
  return Number(text);
}

const print = (line: string): void => void process.stdout.write(`${line}\n`);

try {
  await program.parseAsync();
} catch (error) {
  const { code, message } = DenoiseError.wrap(error, 'INTERNAL');
  process.stderr.write(`${code}: ${message}\n`);
  process.exitCode = ['CONFIG_INVALID', 'FILE_UNREADABLE', 'USAGE'].includes(code) ? 2 : 1;
}
