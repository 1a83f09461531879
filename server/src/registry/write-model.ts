import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DenoiseError } from '@cipherdose/sdk/errors';
import { checkPlan } from '@cipherdose/sdk/plan';
import type { Plan } from '@cipherdose/sdk/protocol';
import type { LinearWeights } from '../network/integer-network.ts';
import { loadModel } from './load-model.ts';
import { cardFile, manifestFile, type Manifest, type ModelCard } from './manifest.ts';
import { encodeWeights } from './weights-file.ts';

export interface ModelContents extends Pick<
  Manifest,
  'modes' | 'privacy' | 'summary' | 'layers' | 'quantisation' | 'source'
> {
  readonly plan: Omit<Plan, 'weightsDigest'>;
  readonly weights: readonly LinearWeights[];
  readonly card: ModelCard;
}

/**
 * Writes a model folder, <modelsDirectory>/<id>/<version>/, whole or not at all: into a temporary folder that is
 * loaded back, then renamed. A folder with the same plan is replaced.
 * @param overwrite also replaces a folder with another plan
 * @returns the folder and the digest of the plan
 * @throws MODEL_EXISTS, FILE_UNWRITABLE, and what {@link loadModel} throws
 */
export async function writeModel(
  modelsDirectory: string,
  contents: ModelContents,
  overwrite = false,
): Promise<{ readonly directory: string; readonly digest: string }> {
  const { id, version } = contents.plan;
  const temporary = await attempt(modelsDirectory, async () => {
    await mkdir(modelsDirectory, { recursive: true });
    return mkdtemp(join(modelsDirectory, '.import-'));
  });
  try {
    const fresh = join(temporary, 'new');
    const digest = await attempt(temporary, () => writeFiles(fresh, contents));
    await loadModel(fresh);
    const family = join(modelsDirectory, id);
    const directory = join(family, version);
    await attempt(family, () => mkdir(family, { recursive: true }));
    await makeRoom(directory, join(temporary, 'old'), digest, overwrite);
    await attempt(directory, () => rename(fresh, directory));
    return { directory, digest };
  } finally {
    await rm(temporary, { recursive: true, force: true });
    // Only succeeds if it is empty: then this import made it and failed.
    await rmdir(join(modelsDirectory, id)).catch(() => undefined);
  }
}

async function writeFiles(directory: string, contents: ModelContents): Promise<string> {
  const weights = encodeWeights(contents.weights);
  const sha256 = createHash('sha256').update(weights).digest('hex');
  const { digest, ...plan } = checkPlan({ ...contents.plan, weightsDigest: sha256 });
  const { modes, privacy, summary, layers, quantisation, source, card } = contents;
  const manifest: Manifest = {
    format: 'cipherdose-model/1',
    plan,
    digest,
    modes,
    ...(privacy ? { privacy } : {}),
    summary,
    layers,
    weights: { file: 'weights.bin', bytes: weights.length, sha256 },
    quantisation,
    ...(source ? { source } : {}),
  };
  await mkdir(directory);
  await writeFile(join(directory, manifest.weights.file), weights);
  await writeFile(join(directory, manifestFile), `${JSON.stringify(manifest, null, 2)}\n`);
  await writeFile(join(directory, cardFile), `${JSON.stringify(card, null, 2)}\n`);
  return digest;
}

/** Moves what is there out of the way, if it may be replaced. */
async function makeRoom(directory: string, old: string, digest: string, overwrite: boolean): Promise<void> {
  const moved = await rename(directory, old).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return false;
      throw new DenoiseError('FILE_UNWRITABLE', { path: directory }, { cause: error });
    },
  );
  if (!moved || overwrite) return;
  const present = await loadModel(old).catch(() => undefined);
  if (present?.plan.digest === digest) return;
  await rename(old, directory);
  throw new DenoiseError('MODEL_EXISTS', { directory, digest: present?.plan.digest ?? 'unreadable' });
}

async function attempt<T>(path: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    throw DenoiseError.wrap(error, 'FILE_UNWRITABLE', { path });
  }
}
