import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { HuImage } from '@cipherdose/sdk/image';
import { checkPlan } from '@cipherdose/sdk/plan';
import { evaluateClear } from '#server/network/clear-evaluator.js';
import { evaluateFloat } from '#server/network/float-evaluator.js';
import type { FloatNetwork } from '#server/network/float-network.js';
import { quantise } from '#server/network/quantise.js';
import { lowerOnnx } from '#server/onnx/lower-onnx.js';
import { readGraph } from '#server/onnx/read-graph.js';
import { integers } from './arbitraries.ts';
import { onnxFile, type FileFields, type NodeFields, type TensorFields } from './onnx-file.ts';
import { evaluateAllOnnx } from './onnx-reference.ts';

export const side = 24;
const input = { lowHu: -1024, highHu: 3071 };
export const next = integers(7);
const image: HuImage = {
  width: side,
  height: side,
  hu: Int16Array.from({ length: side * side }, () => next(-900, 900)),
};
export const options = { parameterSet: 'n4096-q60-t31', input, calibration: [image] };

/** Random weights of a convolution, HU to values around 1 or back. */
export function weights(name: string, dims: readonly number[], gain: number): TensorFields {
  const taps = dims.slice(1).reduce((product, dim) => product * dim, 1);
  const count = (dims[0] as number) * taps;
  const bound = gain / Math.sqrt(taps);
  return { name, dims, values: Array.from({ length: count }, () => (next(-1000, 1000) / 1000) * bound) };
}

export const list = (name: string, values: readonly number[], dims = [values.length]): TensorFields => ({
  name,
  dims,
  values,
});
export const number = (name: string, value: number): TensorFields => list(name, [value], []);
export const shape = (name: string, ...values: number[]): TensorFields => ({
  ...list(name, values),
  type: 'int64',
});
export const node = (
  op: string,
  inputs: readonly string[],
  output: string,
  attributes: NodeFields['attributes'] = {},
): NodeFields => ({ op, inputs, output, attributes });

/** A network of `channels` values around 1 in `x`, what the case makes of them in `y`, and HU again. */
export function around(
  channels: readonly [number, number],
  nodes: readonly NodeFields[],
  tensors: readonly TensorFields[] = [],
): FileFields {
  const [inner, outer] = channels;
  return {
    nodes: [
      node('Conv', ['hu', 'first.weight', 'first.bias'], 'x', { pads: [1, 1, 1, 1] }),
      ...nodes,
      node('Conv', ['y', 'last.weight'], 'denoised'),
    ],
    tensors: [
      weights('first.weight', [inner, 1, 3, 3], 2 / 500),
      list(
        'first.bias',
        Array.from({ length: inner }, () => next(-100, 100) / 200),
      ),
      ...tensors,
      weights('last.weight', [1, outer, 1, 1], 200),
    ],
    inputDims: [1, 1, side, side],
  };
}

/** The real network that a file of these fields becomes. */
export const lowered = (fields: FileFields): FloatNetwork => lowerOnnx(readGraph(onnxFile(fields)));

export const unary = (op: string, attributes: NodeFields['attributes'] = {}): FileFields =>
  around([3, 3], [node(op, ['x'], 'y', attributes)]);
type Cases = Readonly<Record<string, FileFields>>;

/** How much an output may differ, in parts of the largest one, and how large that one has to be, HU. */
interface Tolerances {
  /** Real numbers, of which onnxruntime has 24 bits. */
  readonly real: number;
  /** Some parts of 2^11 in each of two or three layers. */
  readonly integer: number;
  readonly least: number;
}

/** A test for each network: real and integer evaluation are what onnxruntime makes of it. */
export function testAgainstOnnxRuntime(
  cases: Cases,
  tolerances: Tolerances = { real: 1e-5, integer: 0.004, least: 20 },
): void {
  const fileOf = (name: string): Uint8Array => onnxFile({ opset: 13, ...(cases[name] as FileFields) });
  let folder: string;
  let expected: ReadonlyMap<string, Float32Array>;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'cipherdose-operators-'));
    const names = Object.keys(cases);
    const paths = await Promise.all(
      names.map(async (name, i) => {
        const path = join(folder, `${i}.onnx`);
        await writeFile(path, fileOf(name));
        return path;
      }),
    );
    const outputs = evaluateAllOnnx(paths, image);
    expected = new Map(names.map((name, i) => [name, outputs[i] as Float32Array]));
  });
  afterAll(() => rm(folder, { recursive: true }));

  test.each(Object.keys(cases))('%s', (name) => {
    const network = lowerOnnx(readGraph(fileOf(name)));
    const reference = expected.get(name) as Float32Array;
    const largest = reference.reduce((most, y) => Math.max(most, Math.abs(y)), 0);
    expect(largest).toBeGreaterThan(tolerances.least);

    const real = evaluateFloat(network, image.hu, side, side);
    real.forEach((y, i) =>
      expect(Math.abs(y - (reference[i] as number))).toBeLessThan(1e-3 + tolerances.real * largest),
    );

    const quantised = quantise(network, options);
    const plan = checkPlan({
      format: 'cipherdose-plan/1',
      id: 'operator',
      version: '1.0.0',
      framework: 'interactive',
      parameterSet: options.parameterSet,
      input: network.multiple === undefined ? input : { ...input, multiple: network.multiple },
      nodes: quantised.nodes,
      output: quantised.output,
      weightsDigest: '0'.repeat(64),
    });
    const { hu } = evaluateClear({ plan, layers: quantised.layers }, image);
    // What import judges a network by is what a client will get.
    expect(quantised.outputs.map(({ data }) => Int16Array.from(data))).toEqual([hu]);
    // Half a HU is rounding.
    hu.forEach((y, i) => {
      const clipped = Math.max(-1024, Math.min(3071, reference[i] as number));
      expect(Math.abs(y - clipped)).toBeLessThan(0.6 + tolerances.integer * largest);
    });
  });
}
