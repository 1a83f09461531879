import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startHost, type RunningHost } from '@cipherdose/server';
import { modeDisclosure } from '@cipherdose/sdk';
import { readCtSlice } from '@cipherdose/sdk/dicom';
import { loadModel } from '#server/registry/load-model.js';
import { integers } from '../support/arbitraries.ts';
import { makeCtDicom } from '../support/make-ct.ts';
import { writePrivateModel } from '../support/private-model-folder.ts';
import { privateNetwork } from '../support/private-network.ts';
import { clearResult, smallPrivateNetwork } from '../support/private-session.ts';
import { lastLine, runNode } from '../support/run-node.ts';

const side = 40;
let root: string;
let host: RunningHost;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'cipherdose-cli-private-'));
  const models = join(root, 'models');
  await mkdir(models);
  await writePrivateModel(models, privateNetwork(smallPrivateNetwork));
  host = await startHost({ models, threads: 1 });
});
afterAll(async () => {
  await host?.close();
  await rm(root, { recursive: true });
});

test('cipherdose denoise --mode private: every pixel is that of the clear network', async () => {
  const [input, out] = [join(root, 'in'), join(root, 'out')];
  await mkdir(input);
  for (const instanceNumber of [1, 2]) {
    const next = integers(instanceNumber);
    const hu = Array.from({ length: side * side }, () => next(-1000, 2000));
    const file = makeCtDicom({ rows: side, columns: side, hu, instanceNumber });
    await writeFile(join(input, `${instanceNumber}.dcm`), file);
  }
  const words = [input, '--out', out, '--server', host.url, '--model', 'private', '--mode', 'private'];
  const { code, stdout, stderr } = await runNode('sdk/dist/cli/main.js', ['denoise', ...words, '--json']);
  expect([code, lastLine(stdout)]).toMatchObject([
    0,
    { model: 'private', mode: 'private', slices: { done: 2, failed: 0 }, failures: [] },
  ]);
  expect(stderr).toContain(modeDisclosure.private);

  const network = await loadModel(join(root, 'models', 'private', '1.0.0'));
  const written = (await readdir(out, { recursive: true })).filter((name) => name.endsWith('.dcm')).sort();
  expect(written.map((name) => name.split('/').at(-1))).toEqual(['1.dcm', '2.dcm']);
  for (const name of written) {
    const source = readCtSlice(await readFile(join(input, name.split('/').at(-1) as string)));
    const derived = readCtSlice(await readFile(join(out, name)));
    expect(derived.image.hu).toEqual(clearResult(network, source.image));
  }
});
