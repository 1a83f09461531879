import type { DenoiseClient, HuImage, ModelSummary } from '@cipherdose/sdk';
import { DenoiseError } from '@cipherdose/sdk/errors';
import type { Finding } from './finding.ts';
import { shippedModelIfAny } from './shipped-models.ts';

const side = 64;

/** A slice of a body with a bone in it, and noise: the same in every run. */
export function phantom(): HuImage {
  const hu = new Int16Array(side * side);
  let noise = 1;
  for (let y = 0; y < side; y++)
    for (let x = 0; x < side; x++) {
      const distance = Math.hypot((x - side / 2) / 1.2, y - side / 2);
      const tissue = distance > 24 ? -1000 : Math.hypot(x - 32, y - 44) < 5 ? 700 : 40;
      noise = (Math.imul(noise, 1664525) + 1013904223) >>> 0; // Numerical Recipes' linear congruential generator
      hu[y * side + x] = tissue + Math.floor((noise / 2 ** 32) * 121) - 60;
    }
  return { width: side, height: side, hu };
}

/** No filter moves a pixel further on average, HU; ciphertexts that were mixed up do. */
const sanePerPixel = 300;

/**
 * Sends the phantom through the encrypted path. For a model that comes along every pixel has to equal the clear
 * evaluator's; of any other model only the host knows the weights, so its answer can be checked for sanity only.
 */
export async function checkKnownAnswer(client: DenoiseClient, model: ModelSummary): Promise<Finding> {
  const name = `known answer: ${model.id}`;
  const image = phantom();
  const answer = await denoiseOne(client, image, model);
  const clear = await shippedModelIfAny(model.id, model.digest);
  if (!clear) {
    const moved = meanDifference(answer, image);
    const status = moved < sanePerPixel ? 'ok' : 'failed';
    return { name, status, detail: `changes ${moved.toFixed(1)} HU a pixel; not one of the shipped models` };
  }
  const expected = clear(image);
  const differing = expected.hu.reduce((sum, hu, i) => sum + (hu === answer.hu[i] ? 0 : 1), 0);
  if (differing === 0) return { name, status: 'ok', detail: 'every pixel as in the clear' };
  return { name, status: 'failed', detail: new DenoiseError('EXACTNESS', { pixels: differing }).message };
}

async function denoiseOne(client: DenoiseClient, image: HuImage, model: ModelSummary): Promise<HuImage> {
  for await (const result of client.denoise(image, { model: model.id, digest: model.digest })) {
    if (!result.ok) throw result.error;
    return result.image;
  }
  throw new DenoiseError('UNEXPECTED');
}

const meanDifference = (a: HuImage, b: HuImage): number =>
  a.hu.reduce((sum, hu, i) => sum + Math.abs(hu - (b.hu[i] as number)), 0) / a.hu.length;
