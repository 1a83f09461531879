import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { DenoiseError } from '@cipherdose/sdk/errors';
import { estimateCost } from '@cipherdose/sdk/packing';
import { modelId, semanticVersion } from '@cipherdose/sdk/protocol';
import type { HostedModel, ModelSource } from '../model-source.ts';
import { loadModel } from './load-model.ts';
import { compareVersions } from './versions.ts';

/** An installed model that passed every check. */
export type RegisteredModel = HostedModel;
/** The models of a folder, as they were when it was opened. */
export type Registry = ModelSource;

const costSide = 512;

/**
 * Opens a folder of models, <id>/<version>/, and checks every one. Names that are no id or version are left alone,
 * links are not followed.
 * @throws MODEL_INVALID and what {@link loadModel} throws
 */
export async function openRegistry(modelsDirectory: string): Promise<Registry> {
  const versions = new Map<string, readonly RegisteredModel[]>();
  for (const id of await foldersOf(modelsDirectory, (name) => modelId.safeParse(name).success)) {
    const models: RegisteredModel[] = [];
    for (const version of await foldersOf(
      join(modelsDirectory, id),
      (name) => semanticVersion.safeParse(name).success,
    ))
      models.push(await register(join(modelsDirectory, id, version), id, version));
    models.sort((a, b) => compareVersions(b.plan.version, a.plan.version));
    if (models.length > 0) versions.set(id, models);
  }
  const versionsOf = (id: string): readonly RegisteredModel[] => {
    const found = versions.get(id);
    if (!found) throw new DenoiseError('MODEL_UNKNOWN', { id });
    return found;
  };
  return {
    list: () => [...versions.values()].map(newest),
    get: (id) => newest(versionsOf(id)),
    byDigest: (id, digest) => {
      const found = versionsOf(id).find((model) => model.digest === digest);
      if (!found) throw new DenoiseError('FRAME_DIGEST', { id, got: digest });
      return found;
    },
  };
}

const newest = (models: readonly RegisteredModel[]): RegisteredModel => models[0] as RegisteredModel;

async function foldersOf(directory: string, isName: (name: string) => boolean): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true }).catch((error: unknown) => {
    throw new DenoiseError('MODEL_INVALID', { directory, reason: 'it cannot be read' }, { cause: error });
  });
  return entries
    .filter((entry) => entry.isDirectory() && isName(entry.name))
    .map((entry) => entry.name)
    .toSorted();
}

async function register(directory: string, id: string, version: string): Promise<RegisteredModel> {
  const { plan, manifest, card } = await loadModel(directory);
  if (plan.id !== id || plan.version !== version)
    throw new DenoiseError('MODEL_INVALID', { directory, id: plan.id, version: plan.version });
  const { digest, modes, summary } = manifest;
  return Object.freeze({
    plan,
    digest,
    modes,
    summary,
    card,
    directory,
    cost: estimateCost(plan, costSide, costSide),
  });
}
