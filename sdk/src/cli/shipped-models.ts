import type { HuImage } from '@cipherdose/sdk';
import { DenoiseError } from '@cipherdose/sdk/errors';
import { loadServer } from './embedded-host.ts';

/** The clear integer evaluator of one model. */
export type ClearEvaluator = (image: HuImage) => HuImage;

/**
 * The models that come with the host package, evaluated in the clear: what every encrypted result has to equal.
 * @param digest of the plan; without it the newest version
 * @throws MODEL_UNKNOWN, FRAME_DIGEST
 */
export async function shippedModel(id: string, digest?: string): Promise<ClearEvaluator> {
  const { checkConfig, evaluateClear, loadModel, openRegistry } = await loadServer();
  // A host that is told nothing offers the models that come along.
  const registry = await openRegistry(checkConfig({}).models);
  const { directory } = digest === undefined ? registry.get(id) : registry.byDigest(id, digest);
  const network = await loadModel(directory);
  return (image) => evaluateClear(network, image);
}

/** The same, or undefined if no model with this plan comes along, or the host package is not installed. */
export async function shippedModelIfAny(id: string, digest: string): Promise<ClearEvaluator | undefined> {
  try {
    return await shippedModel(id, digest);
  } catch (error) {
    if (error instanceof DenoiseError && ['MODEL_UNKNOWN', 'FRAME_DIGEST'].includes(error.code))
      return undefined;
    throw error;
  }
}
