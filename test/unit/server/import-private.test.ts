import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { HuImage } from '@cipherdose/sdk/image';
import { privateLayers } from '@cipherdose/sdk/plan';
import { isPrivateSet, parameterSet, type RequantiseNode } from '@cipherdose/sdk/protocol';
import { activateClear } from '@cipherdose/sdk/two-party';
import { describeImport } from '#server/commands/import-command.js';
import { serverProgram } from '#server/commands/server-program.js';
import { accumulatorBound } from '@cipherdose/sdk/image';
import { importModel, type ImportOptions } from '#server/registry/import-model.js';
import { loadModel } from '#server/registry/load-model.js';
import { openRegistry } from '#server/registry/registry.js';
import { integers } from '../../support/arbitraries.ts';
import { makeCtDicom } from '../../support/make-ct.ts';
import { meanConvolution, onnxFile } from '../../support/onnx-file.ts';
import { privateOnnx, type PrivateOnnxOptions } from '../../support/private-onnx.ts';
import { refusal } from '../../support/refusal.ts';

const next = integers(4);
const [width, height] = [96, 64];
const image: HuImage = {
  width,
  height,
  hu: Int16Array.from({ length: width * height }, (_, i) => {
    const radius = Math.hypot((i % width) - 48, Math.floor(i / width) - 32);
    return (radius > 30 ? -1000 : radius > 12 ? 40 : 300) + next(-60, 60) + next(-60, 60);
  }),
};
const small: PrivateOnnxOptions = { hidden: 5, kernel: [3, 5] };

let root: string;
let options: ImportOptions;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'cipherdose-private-'));
  const [onnxPath, modelsDirectory] = [join(root, 'model.onnx'), join(root, 'models')];
  options = { onnxPath, id: 'p', version: '1.0.0', modelsDirectory, calibration: [image], private: true };
  await writeFile(onnxPath, privateOnnx(small));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const importOnnx = async (onnx: Uint8Array, change: Partial<ImportOptions> = {}) => {
  await writeFile(options.onnxPath, onnx);
  return importModel({ ...options, ...change });
};
const notPrivate = (op: string, reason: RegExp) =>
  expect.objectContaining({
    code: 'PLAN_NOT_PRIVATE',
    details: expect.objectContaining({ node: expect.any(String), op, reason: expect.stringMatching(reason) }),
  });

describe('import for private mode', () => {
  test('gives a model that private mode runs, with everything proved and told', async () => {
    const report = await importModel(options);
    expect(report).toMatchObject({ modes: ['private'], parameterSet: 'n8192-q108-t26' });
    expect(report.quantisation.rmsDifferenceHu).toBeLessThanOrEqual(0.5);
    const { plan, layers, manifest } = await loadModel(report.directory);
    expect(manifest.modes).toEqual(['private']);
    const [first, last] = privateLayers(plan) as [
      ReturnType<typeof privateLayers>[number],
      ...ReturnType<typeof privateLayers>,
    ];
    expect(privateLayers(plan)).toHaveLength(2);
    expect(first).toMatchObject({
      activation: { dividesOnly: false },
      node: { inChannels: 18, outChannels: 5 },
    });
    expect(last?.activation.dividesOnly).toBe(true);
    expect(last?.requantise.high).toBeGreaterThanOrEqual(23);
    // What the first layer takes: the image, clipped and no finer than HU, and the noise maps.
    const bound = accumulatorBound(layers[0] as (typeof layers)[number], { low: -1024, high: 1023 });
    expect(first.node.accumulatorBound).toBe(bound);

    const told = report.private;
    expect(told?.activations).toBe((5 + 16) * 128 * 128);
    expect(told?.rounds).toBe(6);
    expect(told?.distanceBits).toBeGreaterThan(40);
    expect(told?.distanceBits).toBeLessThan(
      Math.min(...(told?.layers ?? []).map((layer) => layer.distanceBits)),
    );
    expect(manifest.privacy).toMatchObject({ side: 512, distanceBits: told?.distanceBits });
    expect(told?.layers.map((layer) => layer.accumulatorBits)).toEqual(
      privateLayers(plan).map(({ activation }) => activation.accumulatorBits),
    );
    expect(told?.offlineBytes).toBeGreaterThan(told?.onlineBytes ?? 0);
    expect(told?.seconds.online).toBeGreaterThan(0);
    expect(describeImport(report)).toMatch(/statistical distance 2\^-4\d/);
    expect(describeImport(report)).toMatch(/layer 1: .* opened;/);
  });

  test('requantisation is the two-party activation, on every edge', async () => {
    const { plan } = await loadModel((await importModel(options)).directory);
    for (const { node, requantise, activation } of privateLayers(plan)) {
      const unit = 2 ** activation.shift;
      const bound = node.accumulatorBound;
      const edges = [0, unit / 2, unit, requantise.high * unit, requantise.low * unit, bound, -bound];
      for (const y of edges.flatMap((edge) => [-1, 0, 1].map((step) => edge + step)))
        if (Math.abs(y) <= bound) {
          const { low, high } = requantise;
          const activated = Math.min(Math.max(activateClear(y, activation), low), high);
          expect([y, activated]).toEqual([y, requantised(y, requantise)]);
        }
    }
  });

  test('the layer with the most bits has as many as the report says, and fewer than there are', async () => {
    const report = await importModel(options);
    expect(report.reason).toMatch(/the fewest bits within 0.5 HU/);
    const cap = Number(/at most (\d+) bits/.exec(report.reason)?.[1]);
    expect(Math.max(...(report.private?.layers ?? []).map((layer) => layer.accumulatorBits))).toBe(cap);
    expect(cap).toBeLessThan(26);
  });

  test('a clip behind the ReLU is the clamp itself', async () => {
    const report = await importOnnx(privateOnnx({ ...small, between: [{ op: 'Relu' }, { op: 'Clip' }] }));
    expect(report.quantisation.rmsDifferenceHu).toBeLessThanOrEqual(0.5);
    const { plan } = await loadModel(report.directory);
    expect(plan.nodes.map(({ op }) => op).filter((op) => op === 'linear')).toHaveLength(2);
    expect(() => privateLayers(plan)).not.toThrow();
  });

  test('the last layer is as fine as what follows it needs', async () => {
    const plain = await importModel(options);
    const halved = await importOnnx(privateOnnx({ ...small, affine: true }), { id: 'halved' });
    expect(halved.quantisation.rmsDifferenceHu).toBeLessThanOrEqual(0.5);
    const reach = async ({ directory }: typeof plain) =>
      privateLayers((await loadModel(directory)).plan).at(-1)?.requantise.high ?? 0;
    // A unit of the result is 2 HU before it is halved.
    expect(await reach(halved)).toBeLessThan(await reach(plain));
  });

  test.each<[string, Partial<PrivateOnnxOptions>, string, RegExp]>([
    [
      'LeakyRelu',
      { between: [{ op: 'LeakyRelu', attributes: { alpha: { float: 0.125 } } }] },
      'LeakyRelu',
      /times 0.125.*runs Relu/,
    ],
    ['Tanh', { between: [{ op: 'Tanh' }] }, 'function', /no function/],
    ['nothing but a scale', { between: [{ op: 'Identity' }] }, 'Conv', /no ReLU/],
    [
      'a pool',
      {
        between: [
          { op: 'Relu' },
          { op: 'MaxPool', attributes: { kernel_shape: [3, 3], pads: [1, 1, 1, 1] } },
        ],
      },
      'pool',
      /no pool/,
    ],
  ])('%s between two convolutions is refused with the reason', async (_, change, op, reason) => {
    const onnx = privateOnnx({ ...small, ...change });
    await expect(importOnnx(onnx)).rejects.toThrow(notPrivate(op, reason));
    // In interactive mode it is fine.
    await expect(importOnnx(onnx, { private: false })).resolves.toMatchObject({ modes: ['interactive'] });
  });

  test('a square, and a hidden value that is used twice, are refused', async () => {
    const [a, b] = [meanConvolution('hu', 'a', [1, 2]), meanConvolution('h', 'b', [2, 1], 1 / 18)];
    const tensors = [...a.tensors, ...b.tensors];
    const square = onnxFile({
      nodes: [
        a.node,
        { op: 'Mul', inputs: ['a', 'a'], output: 'h' },
        b.node,
        { op: 'Sub', inputs: ['hu', 'b'], output: 'denoised' },
      ],
      tensors,
    });
    await expect(importOnnx(square)).rejects.toThrow(notPrivate('polynomial', /would show the client/));
    const skip = meanConvolution('h', 'c', [2, 1], 1 / 18);
    const twice = onnxFile({
      nodes: [
        a.node,
        { op: 'Relu', inputs: ['a'], output: 'h' },
        b.node,
        skip.node,
        { op: 'Add', inputs: ['b', 'c'], output: 'denoised' },
      ],
      tensors: [...tensors, ...skip.tensors],
    });
    await expect(importOnnx(twice)).rejects.toThrow(notPrivate('Relu', /more than once/));
  });

  test('the owner decides which modes there are', async () => {
    const both = await importModel({ ...options, modes: ['private', 'interactive'] });
    expect(both.modes).toEqual(['interactive', 'private']);
    const registry = await openRegistry(options.modelsDirectory);
    expect(registry.get('p').modes).toEqual(['interactive', 'private']);
    await expect(importModel({ ...options, modes: ['linear'], overwrite: true })).rejects.toThrow(
      refusal('USAGE'),
    );
    await expect(importModel({ ...options, private: false, modes: ['private'] })).rejects.toThrow(
      refusal('USAGE'),
    );
    await expect(importModel({ ...options, parameterSet: 'n4096-q60-t28' })).rejects.toThrow(
      refusal('USAGE'),
    );
  });

  test('no ordinary import takes the parameter set of private mode', async () => {
    const report = await importModel({ ...options, private: false, parameterSet: 'auto' });
    expect(isPrivateSet(parameterSet(report.parameterSet))).toBe(false);
    expect(report.modes).toEqual(['interactive']);
    expect(report.private).toBeUndefined();
  });

  test('the command line asks for it with --private and --modes', async () => {
    const calibrate = join(root, 'slice.dcm');
    await writeFile(calibrate, makeCtDicom({ rows: height, columns: width, hu: image.hu }));
    const printed: string[] = [];
    const program = serverProgram(
      () => undefined,
      (line) => void printed.push(line),
    );
    const words = [options.onnxPath, '--id', 'p', '--version', '1.0.0', '--calibrate', calibrate];
    const flags = [
      '--models',
      options.modelsDirectory,
      '--private',
      '--modes',
      'interactive,private',
      '--json',
    ];
    await program.parseAsync(['import', ...words, ...flags], { from: 'user' });
    expect(JSON.parse(printed.join(''))).toMatchObject({
      modes: ['interactive', 'private'],
      private: { rounds: 6, layers: [{ layer: 0 }, { layer: 1 }] },
    });
  });
});

describe('a manifest', () => {
  const change = async (directory: string, edit: (manifest: Record<string, unknown>) => void) => {
    const path = join(directory, 'manifest.json');
    const manifest = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
    edit(manifest);
    await writeFile(path, JSON.stringify(manifest));
  };

  test('without modes means interactive only', async () => {
    const { directory } = await importModel({ ...options, private: false });
    await change(directory, (manifest) => delete manifest['modes']);
    expect((await loadModel(directory)).manifest.modes).toEqual(['interactive']);
  });

  test('cannot promise private mode, or more privacy, than was proved', async () => {
    const { directory } = await importModel(options);
    await change(directory, (manifest) => {
      manifest['privacy'] = { ...(manifest['privacy'] as object), distanceBits: 60 };
    });
    await expect(loadModel(directory)).rejects.toThrow(refusal('MODEL_INVALID'));
    await change(directory, (manifest) => delete manifest['privacy']);
    await expect(loadModel(directory)).rejects.toThrow(refusal('MODEL_INVALID'));

    const other = await importModel({ ...options, id: 'q', private: false });
    await change(other.directory, (manifest) => {
      manifest['modes'] = ['interactive', 'private'];
      manifest['privacy'] = {
        side: 512,
        distanceBits: 10,
        layers: [{ layer: 0, coefficientDistanceBits: 10, distanceBits: 10 }],
      };
    });
    await expect(loadModel(other.directory)).rejects.toThrow(refusal('PLAN_NOT_PRIVATE'));
  });
});

function requantised(y: number, { shift, low, high, positive, negative }: RequantiseNode): number {
  const value = y * ((y < 0 ? negative : positive)[0] as number);
  return Math.max(low, Math.min(high, Math.floor((value + 2 ** (shift - 1)) / 2 ** shift)));
}
