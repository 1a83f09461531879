import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { collectInputs } from '#sdk/cli/collect-inputs.js';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'cipherdose-'));
  for (const folder of ['study/b', 'study/a', 'study/out', 'empty'])
    await mkdir(join(root, folder), { recursive: true });
  const files = [
    'study/b/2',
    'study/b/10',
    'study/a/1.dcm',
    'study/z.dcm',
    'study/DICOMDIR',
    'study/.hidden',
  ];
  for (const file of [...files, 'study/out/old.dcm']) await writeFile(join(root, file), '');
  await symlink(join(root, 'study'), join(root, 'study/b/circle'));
  await symlink(join(root, 'study/z.dcm'), join(root, 'study/b/link'));
});
afterAll(() => rm(root, { recursive: true }));

const collect = async (...inputs: string[]): Promise<string[]> =>
  (
    await collectInputs(
      inputs.map((input) => join(root, input)),
      join(root, 'study/out'),
    )
  ).map((file) => file.slice(root.length + 1));

describe('collectInputs', () => {
  it('walks folders in the order of the names, and leaves out what is no input', async () => {
    expect(await collect('study')).toEqual([
      'study/a/1.dcm',
      'study/b/10',
      'study/b/2',
      'study/b/link',
      'study/z.dcm',
    ]);
  });

  it('keeps the order of what was named, and each file once', async () => {
    expect(await collect('study/z.dcm', 'study/a', 'study/a/1.dcm')).toEqual([
      'study/z.dcm',
      'study/a/1.dcm',
    ]);
  });

  it('takes DICOMDIR and hidden files if they are named, and keeps what is not there', async () => {
    const named = ['study/DICOMDIR', 'study/.hidden', 'missing.dcm'];
    expect(await collect(...named)).toEqual(named);
  });

  it('finds nothing in an empty folder', async () => {
    expect(await collect('empty')).toEqual([]);
  });
});
