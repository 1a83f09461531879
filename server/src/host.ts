import { readFile } from 'node:fs/promises';
import { DenoiseError } from '@cipherdose/sdk/errors';
import { checkConfig, type HostConfig } from './config.ts';
import { EvaluatorPool } from './evaluator/evaluator-pool.ts';
import type { TlsMaterial } from './http-server.ts';
import { KeyRing } from './keys/key-ring.ts';
import { listen, type RunningHost } from './listen.ts';
import { openRegistry } from './registry/registry.ts';

/**
 * Starts a host inside this process: on a free port of the loopback address, without keys unless a key file is named,
 * and without a log, unless `options` say otherwise.
 * @throws CONFIG_INVALID, FILE_UNREADABLE, MODEL_INVALID, MODEL_DIGEST
 */
export function startHost(options: Partial<HostConfig> = {}): Promise<RunningHost> {
  const embedded = { port: 0, open: options.keysFile === undefined, logLevel: 'silent' };
  return runHost(checkConfig({ ...embedded, ...options }));
}

/** Starts a host from its whole configuration. @throws like {@link startHost} */
export async function runHost(config: HostConfig): Promise<RunningHost> {
  const keys = config.open ? undefined : await openKeys(config.keysFile);
  const tls = config.tls && (await readTls(config.tls));
  const models = await openRegistry(config.models);
  const evaluator = new EvaluatorPool({ threads: config.threads, maxQueue: config.maxQueue });
  try {
    const host = await listen({ config, models, evaluator, keys, tls });
    const close = async (): Promise<void> => {
      await host.close();
      await evaluator.close();
    };
    return { ...host, close };
  } catch (error) {
    await evaluator.close();
    throw error;
  }
}

async function openKeys(file: string): Promise<KeyRing> {
  try {
    return await KeyRing.open(file);
  } catch (error) {
    if (!(error instanceof DenoiseError) || error.code !== 'FILE_UNREADABLE') throw error;
    const reason = `${file} cannot be read: make a first key with "keys add NAME", or try the host with --open`;
    throw new DenoiseError('CONFIG_INVALID', { field: 'keysFile', reason }, { cause: error });
  }
}

async function readTls({ certFile, keyFile }: NonNullable<HostConfig['tls']>): Promise<TlsMaterial> {
  const read = async (file: string): Promise<Buffer> =>
    readFile(file).catch((cause: unknown) => {
      throw new DenoiseError('FILE_UNREADABLE', { file }, { cause });
    });
  return { cert: await read(certFile), key: await read(keyFile) };
}
