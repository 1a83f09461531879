import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { z } from 'zod';
import { DenoiseError } from '@cipherdose/sdk/errors';
import { checkPlan, valueShapes, type CheckedPlan, type ValueShape } from '@cipherdose/sdk/plan';
import { limits, parameterSet } from '@cipherdose/sdk/protocol';
import { proveAccumulators, proveNoise } from '../network/bounds.ts';
import type { IntegerNetwork, LinearWeights } from '../network/integer-network.ts';
import {
  cardFile,
  cardSchema,
  manifestFile,
  manifestSchema,
  type Manifest,
  type ModelCard,
} from './manifest.ts';
import { privateReport } from './private-report.ts';
import { decodeWeights, linearNodes, weightsBytes } from './weights-file.ts';

export interface LoadedModel extends IntegerNetwork {
  readonly manifest: Manifest;
  readonly card: ModelCard;
}

/**
 * Reads a model folder and checks everything that it claims: schema, digests, lengths, and the bounds, which are
 * computed again from the weights.
 * @throws MODEL_INVALID, MODEL_DIGEST, PLAN_INVALID, PLAN_LIMIT, ACCUMULATOR_BOUND, NOISE_BOUND
 */
export async function loadModel(directory: string): Promise<LoadedModel> {
  const manifest = parse(manifestSchema, await readJson(join(directory, manifestFile)), manifestFile);
  const card = parse(cardSchema, await readJson(join(directory, cardFile)), cardFile);
  const plan = checkedPlan(manifest);
  const bytes = await readBounded(join(directory, manifest.weights.file), weightsBytes(plan));
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  if (sha256 !== manifest.weights.sha256 || sha256 !== plan.weightsDigest)
    throw new DenoiseError('MODEL_DIGEST', {
      file: manifest.weights.file,
      got: sha256,
      expected: plan.weightsDigest,
    });
  const layers = decodeWeights(bytes, plan);
  proveLayers(plan, layers, manifest);
  proveModes(plan, layers, manifest);
  return { plan, layers, manifest, card };
}

function checkedPlan(manifest: Manifest): CheckedPlan {
  const plan = checkPlan(manifest.plan);
  if (plan.digest !== manifest.digest)
    throw new DenoiseError('MODEL_DIGEST', {
      file: manifestFile,
      got: plan.digest,
      expected: manifest.digest,
    });
  return plan;
}

function proveLayers(plan: CheckedPlan, layers: readonly LinearWeights[], manifest: Manifest): void {
  const set = parameterSet(plan.parameterSet);
  const shapes = valueShapes(plan);
  linearNodes(plan).forEach((node, layer) => {
    const weights = layers[layer] as LinearWeights;
    const bound = proveAccumulators(weights, shapes.get(node.input) as ValueShape, set);
    proveNoise(weights, set);
    const claimed = manifest.layers[layer]?.accumulatorBound;
    if (bound > node.accumulatorBound || claimed !== node.accumulatorBound)
      throw new DenoiseError('MODEL_INVALID', { layer, accumulatorBound: claimed ?? 0, proved: bound });
  });
}

/** Every mode that the manifest offers is one that the plan can run, and privacy is what it says. */
function proveModes(plan: CheckedPlan, layers: readonly LinearWeights[], { modes, privacy }: Manifest): void {
  const wrong = modes.find((mode) => mode !== 'private' && mode !== plan.framework);
  if (wrong) throw new DenoiseError('MODEL_INVALID', { mode: wrong, framework: plan.framework });
  if (!modes.includes('private')) return;
  if (!privacy) throw new DenoiseError('MODEL_INVALID', { mode: 'private', reason: 'privacy is missing' });
  const proved = privateReport(plan, layers, privacy.side);
  if (privacy.distanceBits > proved.distanceBits)
    throw new DenoiseError('MODEL_INVALID', {
      distanceBits: privacy.distanceBits,
      proved: proved.distanceBits,
    });
}

function parse<T>(schema: z.ZodType<T>, value: unknown, file: string): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new DenoiseError('MODEL_INVALID', {
    file,
    path: issue?.path.join('.') ?? '',
    reason: issue?.message ?? '',
  });
}

async function readJson(path: string): Promise<unknown> {
  const bytes = await readBounded(path, 2 * limits.planBytes);
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw new DenoiseError('MODEL_INVALID', { path, reason: 'not JSON' }, { cause: error });
  }
}

async function readBounded(path: string, most: number): Promise<Uint8Array> {
  try {
    const { size } = await stat(path);
    if (size > most) throw new DenoiseError('MODEL_INVALID', { path, bytes: size, most });
    return await readFile(path);
  } catch (error) {
    throw DenoiseError.wrap(error, 'MODEL_INVALID', { path, reason: 'it cannot be read' });
  }
}
