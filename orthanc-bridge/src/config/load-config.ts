import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { LineCounter, parseDocument, visit, type Document } from 'yaml';
import { DenoiseError } from '@cipherdose/sdk/errors';
import { bridgeConfigSchema, type BridgeConfig, type OrthancConfig } from './config-schema.ts';
import { readAlertSecrets, readStatusSecrets } from '../status/status-secrets.ts';
import { configPosition } from './config-position.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads YAML or JSON. `${ENV:NAME}` in text becomes the value of an environment variable, files with secrets are read,
 * and relative paths start at the folder of the configuration.
 * @throws FILE_UNREADABLE, or CONFIG_INVALID naming file, line and field.
 */
export async function loadConfig(
  file: string,
  environment: Environment = process.env,
): Promise<BridgeConfig> {
  const text = await readText(file);
  return parseConfig(text, { file, folder: dirname(resolve(file)), environment });
}

interface ConfigSource {
  readonly file: string;
  readonly folder: string;
  readonly environment: Environment;
}

/** @throws CONFIG_INVALID, FILE_UNREADABLE */
export async function parseConfig(text: string, source: ConfigSource): Promise<BridgeConfig> {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true });
  const position = (path: readonly PropertyKey[]) => configPosition(document, lines, path);
  const fail = (path: readonly PropertyKey[], reason: string): never => {
    throw new DenoiseError('CONFIG_INVALID', {
      file: source.file,
      line: position(path),
      field: path.join('.') || 'the whole file',
      reason,
    });
  };
  const [syntaxError] = document.errors;
  if (syntaxError)
    throw new DenoiseError('CONFIG_INVALID', {
      file: source.file,
      line: lines.linePos(syntaxError.pos[0]).line,
      reason: `is neither YAML nor JSON: ${syntaxError.code}`,
    });
  insertEnvironment(document, source.environment, (line, reason) => {
    throw new DenoiseError('CONFIG_INVALID', { file: source.file, line: lines.linePos(line).line, reason });
  });
  const parsed = bridgeConfigSchema.safeParse(document.toJS());
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const path = issue?.path ?? [];
    const unknown = issue?.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : [];
    return fail([...path, ...unknown], unknown.length > 0 ? 'is not a known field' : (issue?.message ?? ''));
  }
  checkNames(parsed.data, fail);
  return readSecrets(parsed.data, source.folder);
}

function insertEnvironment(
  document: Document,
  environment: Environment,
  fail: (offset: number, reason: string) => never,
): void {
  visit(document, {
    Scalar(_key, node) {
      if (typeof node.value !== 'string') return;
      node.value = node.value.replace(/\$\{ENV:(\w+)\}/g, (_match, name: string) => {
        return environment[name] ?? fail(node.range?.[0] ?? 0, `the environment variable ${name} is not set`);
      });
    },
  });
}

function checkNames(
  config: BridgeConfig,
  fail: (path: readonly PropertyKey[], reason: string) => never,
): void {
  const names = [...config.orthancs, ...config.dicomwebTargets].map(({ name }) => name);
  for (const list of ['orthancs', 'dicomwebTargets'] as const)
    for (const [index, { name, password, passwordFile, username }] of config[list].entries()) {
      if (names.indexOf(name) !== names.lastIndexOf(name)) fail([list, index, 'name'], 'is used twice');
      if (password !== undefined && passwordFile !== undefined)
        fail([list, index, 'passwordFile'], 'stands beside password; give one of them');
      if (username === undefined && (password !== undefined || passwordFile !== undefined))
        fail([list, index], 'has a password but no username');
    }
  for (const [index, { name, action }] of config.rules.entries()) {
    if (config.rules.findIndex((rule) => rule.name === name) !== index)
      fail(['rules', index, 'name'], 'is used twice');
    if (action.writeTo !== undefined && !names.includes(action.writeTo))
      fail(['rules', index, 'action', 'writeTo'], `is none of the Orthancs and targets: ${names.join(', ')}`);
  }
}

type Secrets = Pick<OrthancConfig, 'password' | 'passwordFile' | 'caFile'>;

async function readSecrets(config: BridgeConfig, folder: string): Promise<BridgeConfig> {
  const secret = async (value: string | undefined, file: string | undefined) =>
    file === undefined ? value : (await readText(resolve(folder, file))).split(/\r?\n/)[0];
  const absolute = (file: string | undefined) => (file === undefined ? undefined : resolve(folder, file));
  const open = async <T extends Secrets>(peer: T): Promise<T> => ({
    ...peer,
    password: await secret(peer.password, peer.passwordFile),
    caFile: absolute(peer.caFile),
  });
  const { host, queue, status, alerts } = config;
  return {
    ...config,
    status: status && (await readStatusSecrets(status, { secret, absolute })),
    alerts: alerts && (await readAlertSecrets(alerts, { secret, absolute })),
    dataFolder: resolve(folder, config.dataFolder),
    orthancs: await Promise.all(config.orthancs.map(open)),
    dicomwebTargets: await Promise.all(config.dicomwebTargets.map(open)),
    host: { ...host, apiKey: await secret(host.apiKey, host.apiKeyFile), caFile: absolute(host.caFile) },
    queue: { ...queue, postgres: await secret(queue.postgres, queue.postgresFile) },
  };
}

const readText = (file: string): Promise<string> =>
  readFile(file, 'utf8').catch((cause: unknown) => {
    throw new DenoiseError('FILE_UNREADABLE', { file }, { cause });
  });
