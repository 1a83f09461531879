import { mkdir, mkdtemp, readdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { loadModel } from '#server/registry/load-model.js';
import { openRegistry } from '#server/registry/registry.js';
import { compareVersions } from '#server/registry/versions.js';
import { writeModel, type ModelContents } from '#server/registry/write-model.js';
import { tinyPlan } from '../../support/tiny-models.ts';

let models: string;

beforeEach(async () => {
  models = await mkdtemp(join(tmpdir(), 'cipherdose-models-'));
});
afterEach(() => rm(models, { recursive: true, force: true }));

function contents(version = '1.0.0', weight = 2): ModelContents {
  const { format, id, framework, parameterSet, input, nodes, output } = tinyPlan;
  return {
    plan: { format, id, version, framework, parameterSet, input, nodes, output },
    modes: ['linear'],
    summary: 'One convolution, for tests',
    layers: [{ layer: 0, accumulatorBound: 1_000_000, noiseMarginBits: 1, weightBits: 3 }],
    quantisation: { calibrationImages: 1, rmsDifferenceHu: 0, largestDifferenceHu: 0 },
    weights: [{ weights: new Int16Array(9).fill(weight), bias: Int32Array.of(-5) }],
    card: { data: 'none' },
  };
}

const code = (name: string) => expect.objectContaining({ code: name });

/** Changes one file of an installed model as JSON. */
async function edit(
  directory: string,
  file: string,
  change: (json: Record<string, unknown>) => void,
): Promise<void> {
  const path = join(directory, file);
  const json = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
  change(json);
  await writeFile(path, JSON.stringify(json));
}

describe('registry', () => {
  test('lists the newest version of each model and finds the others by digest', async () => {
    const digests = [];
    for (const version of ['1.9.0', '1.10.0', '1.2.30']) {
      const written = await writeModel(models, contents(version));
      digests.push(written.digest);
    }
    const registry = await openRegistry(models);
    expect(registry.list().map(({ plan }) => plan.version)).toEqual(['1.10.0']);
    expect(registry.get('tiny').digest).toBe(digests[1]);
    expect(registry.byDigest('tiny', digests[2] as string).plan.version).toBe('1.2.30');
    expect(registry.get('tiny').cost.rounds).toBe(1);
    expect(() => registry.byDigest('tiny', '0'.repeat(64))).toThrow(code('FRAME_DIGEST'));
  });

  test.each(['', '.', '..', '../tiny', 'tiny/1.0.0', '/etc', 'tiny\0', '__proto__', 'constructor', 'TINY'])(
    'the id %j leads nowhere',
    async (id) => {
      await writeModel(models, contents());
      const registry = await openRegistry(models);
      expect(() => registry.get(id)).toThrow(code('MODEL_UNKNOWN'));
      expect(() => registry.byDigest(id, '0'.repeat(64))).toThrow(code('MODEL_UNKNOWN'));
    },
  );

  test('links, files and names that are no models are left alone', async () => {
    const { directory } = await writeModel(models, contents());
    await symlink(join(models, 'tiny'), join(models, 'linked'));
    await symlink(directory, join(models, 'tiny', '2.0.0'));
    await mkdir(join(models, '.import-left-over'));
    await mkdir(join(models, 'tiny', 'latest'));
    await writeFile(join(models, 'README'), 'models');
    const registry = await openRegistry(models);
    expect(registry.list().map(({ plan }) => `${plan.id} ${plan.version}`)).toEqual(['tiny 1.0.0']);
  });

  test('a model in the folder of another is refused', async () => {
    const { directory } = await writeModel(models, contents());
    await mkdir(join(models, 'other', '1.0.0'), { recursive: true });
    for (const file of await readdir(directory))
      await writeFile(join(models, 'other', '1.0.0', file), await readFile(join(directory, file)));
    await expect(openRegistry(models)).rejects.toThrow(code('MODEL_INVALID'));
  });

  test('a folder that is not there', async () => {
    await expect(openRegistry(join(models, 'nothing'))).rejects.toThrow(code('MODEL_INVALID'));
  });

  test('versions are ordered by number', () => {
    expect(['1.10.0', '1.9.9', '0.99.99', '1.10.1'].toSorted(compareVersions)).toEqual([
      '0.99.99',
      '1.9.9',
      '1.10.0',
      '1.10.1',
    ]);
  });
});

describe('loading', () => {
  test('gives back what was written', async () => {
    const { directory, digest } = await writeModel(models, contents());
    const model = await loadModel(directory);
    expect(model.plan.digest).toBe(digest);
    expect(model.layers).toEqual(contents().weights);
    expect(model.card).toEqual({ data: 'none' });
  });

  test('a changed weight does not match the digest', async () => {
    const { directory } = await writeModel(models, contents());
    const path = join(directory, 'weights.bin');
    const bytes = await readFile(path);
    bytes[0] = (bytes[0] as number) ^ 1;
    await writeFile(path, bytes);
    await expect(loadModel(directory)).rejects.toThrow(code('MODEL_DIGEST'));
  });

  test('a changed plan does not match the digest', async () => {
    const { directory } = await writeModel(models, contents());
    await edit(directory, 'manifest.json', (manifest) => {
      (manifest['plan'] as { version: string }).version = '1.0.1';
    });
    await expect(loadModel(directory)).rejects.toThrow(code('MODEL_DIGEST'));
  });

  test('a claim that the weights do not keep is refused, whatever the digests say', async () => {
    const heavy = contents('1.0.0', 200);
    await expect(writeModel(models, heavy)).rejects.toThrow(code('MODEL_INVALID'));
    expect(await readdir(models)).toEqual([]);
  });

  test.each(['manifest.json', 'card.json', 'weights.bin'])('a missing or cut %s', async (file) => {
    const { directory } = await writeModel(models, contents());
    await truncate(join(directory, file), 5);
    await expect(loadModel(directory)).rejects.toThrow(
      expect.objectContaining({ code: expect.stringMatching(/^MODEL_/) }),
    );
    await rm(join(directory, file));
    await expect(loadModel(directory)).rejects.toThrow(code('MODEL_INVALID'));
  });

  test('a weights file that is too long is not read', async () => {
    const { directory } = await writeModel(models, contents());
    await truncate(join(directory, 'weights.bin'), 2 ** 30);
    await expect(loadModel(directory)).rejects.toThrow(code('MODEL_INVALID'));
  });

  test('a manifest that names another file is refused', async () => {
    const { directory } = await writeModel(models, contents());
    await edit(directory, 'manifest.json', (manifest) => {
      (manifest['weights'] as { file: string }).file = '../../../etc/passwd';
    });
    await expect(loadModel(directory)).rejects.toThrow(code('MODEL_INVALID'));
  });
});

describe('writing', () => {
  test('the same model again is no conflict, another one is', async () => {
    const first = await writeModel(models, contents());
    const again = await writeModel(models, { ...contents(), card: { data: 'some' } });
    expect(again).toEqual(first);
    expect((await loadModel(first.directory)).card).toEqual({ data: 'some' });
    await expect(writeModel(models, contents('1.0.0', 3))).rejects.toThrow(code('MODEL_EXISTS'));
    expect((await loadModel(first.directory)).plan.digest).toBe(first.digest);
    const other = await writeModel(models, contents('1.0.0', 3), true);
    expect((await loadModel(first.directory)).plan.digest).toBe(other.digest);
    expect(await readdir(models)).toEqual(['tiny']);
  });

  test('a folder that cannot be made', async () => {
    await writeFile(join(models, 'file'), '');
    await expect(writeModel(join(models, 'file'), contents())).rejects.toThrow(code('FILE_UNWRITABLE'));
  });
});
