import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { parse } from 'yaml';
import { DenoiseError } from '@cipherdose/sdk/errors';
import { checkConfig, hostConfigSchema, type HostConfig } from './config.ts';

type Settings = Readonly<Record<string, unknown>>;

/** Where a configuration comes from; later ones win: file, environment, flags. */
export interface ConfigSources {
  /** JSON or YAML; its relative paths start at its own folder. */
  readonly file?: string | undefined;
  /** `CIPHERDOSE_MAX_QUEUE=8` sets `maxQueue`; values other than text are YAML. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly flags: Settings;
}

/** @throws FILE_UNREADABLE, CONFIG_INVALID */
export async function loadConfig({ file, environment, flags }: ConfigSources): Promise<HostConfig> {
  const fromFile = file === undefined ? {} : await readConfigFile(file);
  return checkConfig({ ...fromFile, ...readEnvironment(environment), ...withoutUndefined(flags) });
}

async function readConfigFile(file: string): Promise<Settings> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new DenoiseError('FILE_UNREADABLE', { file }, { cause });
  });
  const settings = parseYaml(text, file);
  if (settings === null) return {};
  if (!isRecord(settings))
    throw new DenoiseError('CONFIG_INVALID', { field: file, reason: 'is not a mapping' });
  return resolvePaths(settings, dirname(resolve(file)));
}

function resolvePaths(settings: Settings, folder: string): Settings {
  const paths = ['models', 'keysFile', 'certFile', 'keyFile'];
  return Object.fromEntries(
    Object.entries(settings).map(([name, value]) => {
      if (paths.includes(name) && typeof value === 'string') return [name, resolve(folder, value)];
      return [name, name === 'tls' && isRecord(value) ? resolvePaths(value, folder) : value];
    }),
  );
}

const textFields = ['host', 'models', 'keysFile', 'logLevel'];

function readEnvironment(environment: ConfigSources['environment']): Settings {
  const settings: Record<string, unknown> = {};
  for (const field of Object.keys(hostConfigSchema.shape)) {
    const variable = `CIPHERDOSE_${field.replace(/[A-Z]/g, '_$&').toUpperCase()}`;
    const text = environment[variable];
    if (text === undefined || text === '') continue;
    settings[field] = textFields.includes(field) ? text : parseYaml(text, variable);
  }
  return settings;
}

function parseYaml(text: string, field: string): unknown {
  try {
    return parse(text);
  } catch (cause) {
    throw new DenoiseError('CONFIG_INVALID', { field, reason: 'is neither JSON nor YAML' }, { cause });
  }
}

const isRecord = (value: unknown): value is Settings =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const withoutUndefined = (settings: Settings): Settings =>
  Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
